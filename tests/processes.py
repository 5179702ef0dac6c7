"""Real processes of ours on the test database: workers and dispatchers, and brokers to break."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from worker.embedded import EmbeddedBroker, die_with_parent

ROOT = Path(__file__).resolve().parent.parent
FAULTS = "tests.worker.faults.settings"
# Everything that is waited for in production is short here.
QUICK = {
    "PRESSROOM_LEASE_SECONDS": "3",
    "PRESSROOM_TASK_TIME_LIMIT": "4",
    "PRESSROOM_DISPATCH_MILLISECONDS": "100",
    "PRESSROOM_REPUBLISH_SECONDS": "1",
}


def environment(**changes: str) -> dict[str, str]:
    """This process' environment, with the test database and archive in it."""
    return {
        **os.environ,
        **QUICK,
        "DJANGO_SETTINGS_MODULE": FAULTS,
        "DATABASE_URL": _test_database_url(),
        "PRESSROOM_ARCHIVE_DIR": str(settings.ARCHIVE_DIR),
        "PYTHONUNBUFFERED": "1",
        **changes,
    }


def _test_database_url() -> str:
    database = connection.settings_dict
    if connection.vendor != "postgresql":
        return os.environ["DATABASE_URL"]  # the tests' own is in memory
    user, password = quote(database["USER"]), quote(database["PASSWORD"])
    return f"postgres://{user}:{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


class Running:
    """A process with all its children in a group of its own, and its log."""

    def __init__(self, arguments: list[str], log: Path, env: dict[str, str]) -> None:
        self.log = log
        self._killed = False
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def kill(self) -> None:
        """As when the machine loses its power: the process and its children, without a word."""
        if self._killed:
            return  # its number may be somebody else's by now
        self._killed = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def is_alive(self) -> bool:
        return self.process.poll() is None


@contextmanager
def worker(
    log: Path, *, queues: str, children: int, more: Sequence[str] = (), **env: str
) -> Iterator[Running]:
    """A Celery worker; the block begins at once, while it is still starting."""
    arguments = ["-m", "celery", "-A", "worker", "worker", "--loglevel", "INFO"]
    arguments += ["-Q", queues, "-c", str(children), "-n", f"{log.stem}@%h", *more]
    with _running(Running(arguments, log, environment(**env))) as running:
        yield running


@contextmanager
def dispatcher(log: Path, **env: str) -> Iterator[Running]:
    with _running(Running(["manage.py", "dispatcher"], log, environment(**env))) as running:
        yield running


@contextmanager
def _running(running: Running) -> Iterator[Running]:
    try:
        yield running
    finally:
        running.kill()
        print(f"--- {running.log.name}\n{running.output()[-6000:]}")  # shown when a test fails


@contextmanager
def private_broker() -> Iterator[EmbeddedBroker]:
    """A broker to freeze, fill or kill. Its folder is short enough for a Unix socket."""
    with TemporaryDirectory(prefix="broker-") as directory:
        broker = EmbeddedBroker(Path(directory))
        broker.start()
        pid = broker.pid
        assert pid is not None
        try:
            yield broker
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            broker.stop()


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until `condition` holds; fail the test if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} seconds", pytrace=True)
        time.sleep(0.05)
