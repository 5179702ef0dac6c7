"""Says every few seconds that this process is alive, and tells which processes are."""

import atexit
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import DatabaseError, connection, models
from django.db.models.functions import Now

from worker import memory
from worker.models import Presence, Role

logger = logging.getLogger("pressroom.worker")

EVERY = 5.0  # seconds
GONE_AFTER = timedelta(seconds=30)
_FORGOTTEN_AFTER = timedelta(hours=1)


class Herald:
    """Keeps this process's row fresh from a thread with a database connection of its own."""

    def __init__(self, role: Role, queues: Sequence[str] = ()) -> None:
        self.role = role
        self.queues = sorted(queues)
        self.host = socket.gethostname()
        self.pid = os.getpid()
        self.name = f"{role}@{self.host}:{self.pid}"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="herald")

    def start(self) -> None:
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """The row goes, so that nobody counts on this process any more."""
        if os.getpid() == self.pid:  # a fork inherits what is registered, but not the thread
            self._done.set()
            self._thread.join(timeout=5)

    def say(self) -> None:
        """One statement writes the row, whether it was there or not."""
        children = memory.of_children()
        Presence.objects.bulk_create(
            [
                Presence(
                    name=self.name,
                    role=self.role,
                    host=self.host,
                    pid=self.pid,
                    queues=self.queues,
                    memory_kb=memory.resident_kb(self.pid) + sum(children.values()),
                    children=children,
                )
            ],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["queues", "memory_kb", "children", "seen_at"],
        )

    def _run(self) -> None:
        while True:
            self._try(self.say)
            if self._done.wait(EVERY):
                break
        self._try(self._leave)

    def _leave(self) -> None:
        Presence.objects.filter(name=self.name).delete()

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except DatabaseError as error:
            logger.debug("The database is away: %s", error)
        finally:
            connection.close()


def forget_the_gone() -> int:
    """A sweep of the dispatcher: rows of processes that ended without a word."""
    forgotten = Presence.objects.filter(seen_at__lt=Now() - _FORGOTTEN_AFTER)
    return forgotten.delete()[0]


def present() -> "models.QuerySet[Presence]":
    """The processes that were seen lately."""
    return Presence.objects.filter(seen_at__gte=Now() - GONE_AFTER)


def is_present(role: Role, *, host: str | None = None) -> bool:
    """Whether any process of that role was seen lately, anywhere or on that host."""
    seen = present().filter(role=role)
    return (seen if host is None else seen.filter(host=host)).exists()
