"""The servers that break: PostgreSQL and the broker, kept as services are."""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psycopg2
from redis import Redis

from tests.servers import SETTINGS, Postgresql
from worker.embedded import EmbeddedBroker

# What is committed must outlive an immediate stop, as where it matters.
DURABLE = {**SETTINGS, "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


class Database:
    name = "database"

    def __init__(self, folder: Path) -> None:
        self.wanted = True
        self._server = Postgresql(folder, DURABLE)
        self.url = self._server.url

    def ensure(self) -> None:
        if self.wanted and not self._server.is_alive():
            self._server.start()

    def stop(self, number: signal.Signals) -> None:
        """SIGQUIT: at once, without a word; SIGINT: clients are cut off, and it is shut down."""
        self.wanted = False
        process = self._server.process
        if process is not None:
            process.send_signal(number)
            process.wait(30)

    def is_up(self) -> bool:
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url, connect_timeout=2).close()
            return True
        return False

    def cut_connections(self) -> None:
        with suppress(psycopg2.OperationalError):
            own = psycopg2.connect(self.url, connect_timeout=5)
            own.autocommit = True
            with own.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            own.close()

    def close(self) -> None:
        self._server.stop()


class Broker:
    name = "broker"

    def __init__(self, folder: Path) -> None:
        self.wanted = True
        self._server = EmbeddedBroker(folder)
        self.url = self._server.url

    def ensure(self) -> None:
        if self.wanted:
            self._server.revive()

    @property
    def pid(self) -> int | None:
        return self._server.pid

    def client(self) -> Redis:
        return Redis(unix_socket_path=str(self._server.socket_path), socket_timeout=5)

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if self.pid:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """It stays away until it is wanted again."""
        self.wanted = False
        self.signal(signal.SIGKILL)

    def forget(self) -> None:
        for kept in self._server.directory.glob("appendonly*"):
            shutil.rmtree(kept, ignore_errors=True)

    def close(self) -> None:
        self.signal(signal.SIGCONT)
        self._server.stop()
