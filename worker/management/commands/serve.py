"""`manage.py serve`: all of Pressroom on this machine, until Ctrl-C."""

import socket
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from worker.embedded import BrokerFailedError, EmbeddedBroker
from worker.processes import (
    GRACE,
    beat_process,
    dispatcher_process,
    web_process,
    worker_processes,
)
from worker.supervisor import Supervisor


def number_from(least: int, most: int) -> Callable[[str], int]:
    """For argparse."""

    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r}: expected a number from {least} to {most}")
        return int(text)

    return number


class Command(BaseCommand):
    help = "Run web, dispatcher and workers on this machine (and a broker, unless one is given)."

    def add_arguments(self, parser: CommandParser) -> None:
        port, workers = number_from(1, 65_535), number_from(1, 1000)
        parser.add_argument("--port", type=port, default=8000, help="on 127.0.0.1 (default 8000)")
        parser.add_argument("--workers", type=workers, default=2, help="batch renders at once")
        parser.add_argument(
            "--logs", choices=["files", "terminal"], default="files", help="where logs go"
        )

    def handle(self, *args: object, port: int, workers: int, logs: str, **options: object) -> None:
        self._check_port(port)
        log_dir = settings.VAR_DIR / "logs" if logs == "files" else None
        processes = [
            web_process(port=port),
            dispatcher_process(),
            beat_process(),
            *worker_processes(batch=workers),
        ]
        try:
            with self._broker() as broker:
                self._prepare()
                self._announce(port, log_dir)
                watch = self._revive(broker) if broker else None
                supervisor = Supervisor(processes, log_dir=log_dir, grace=GRACE, watch=watch)
                code = supervisor.run_until_signalled()
        except BrokerFailedError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Stopped.")
        if code:
            raise SystemExit(code)

    def _prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.WHITENOISE_USE_FINDERS:  # else files are served from where they are
            call_command("collectstatic", interactive=False, verbosity=0)

    def _revive(self, broker: EmbeddedBroker) -> Callable[[], None]:
        def watch() -> None:
            try:
                broker.revive()
            except (BrokerFailedError, OSError) as error:  # tried again a second later
                self.stderr.write(str(error))

        return watch

    @contextmanager
    def _broker(self) -> Iterator[EmbeddedBroker | None]:
        """The embedded broker, or None when CELERY_BROKER_URL names another."""
        if settings.EMBEDDED_BROKER_SOCKET is None:
            yield None
            return
        with EmbeddedBroker(settings.VAR_DIR / "broker", settings.EMBEDDED_BROKER_SOCKET) as broker:
            yield broker

    def _check_port(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} of 127.0.0.1: {error.strerror}. Try --port {port + 1}."
                ) from error

    def _announce(self, port: int, log_dir: Path | None) -> None:
        self.stdout.write(f"Pressroom: http://127.0.0.1:{port}/  (Ctrl-C stops it)")
        if log_dir:
            self.stdout.write(f"Logs: {log_dir}")
