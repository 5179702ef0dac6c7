"""`manage.py dispatcher`: the outbox relay and sweeper, until it is told to stop."""

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connection

from worker.dispatching import dispatch_once
from worker.models import Role
from worker.presence import Herald

logger = logging.getLogger("pressroom.dispatcher")


class Command(BaseCommand):
    help = "Publish due work, free expired leases, close batches. Run one or more copies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="make one pass and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{dispatch_once()} rows moved")
            return
        Herald(Role.DISPATCHER).start()
        self._loop(_stop_on_signals())

    def _loop(self, stop: threading.Event) -> None:
        every = settings.DISPATCH_EVERY.total_seconds()
        logger.info("dispatching every %s s", every)
        while not stop.is_set():
            try:
                dispatch_once()
            except Error as error:  # a line that was closed is none of its DatabaseErrors
                logger.warning("The database is away: %s", str(error).strip())
                connection.close()
            close_old_connections()
            stop.wait(every)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
