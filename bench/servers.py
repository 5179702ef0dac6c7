"""The processes around a measurement: database, broker, dispatcher, workers; all throw-away."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from documents.rendering import warm_up
from worker import preflight
from worker.embedded import die_with_parent
from worker.models import Presence, Role

ROOT = Path(__file__).resolve().parent.parent
_TEMPLATE = "empty"
_DISPATCHER = ["manage.py", "dispatcher"]
_numbers = count(1)


def migrate(questions: list[str]) -> None:
    """Once; `fresh` then copies what is there."""
    if connection.settings_dict["NAME"] != "postgres" and questions != ["scaling"]:
        raise RuntimeError("Databases are made and dropped here: leave DATABASE_URL unset.")
    call_command("migrate", interactive=False, verbosity=0)


def fresh() -> None:
    """An empty database: nothing is left over for workers, and no table is already long."""
    name, now = connection.settings_dict["NAME"], f"bench{next(_numbers)}"
    connection.close()
    if name == "postgres":
        _run_sql("template1", f"CREATE DATABASE {_TEMPLATE} TEMPLATE postgres")
    else:
        _run_sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")
    _run_sql("template1", f"CREATE DATABASE {now} TEMPLATE {_TEMPLATE}")
    _point_to(now)


def as_a_worker() -> None:
    """Load and warm up in this process what a worker does.

    Without its memory limit, which the engines that are started from here would have, too.
    """
    preflight.preload()
    as_a_child()


def as_a_child() -> None:
    """What `preflight.warm_up` does in a worker's child, but for the memory limit."""
    warm_up()
    gc.freeze()


def _run_sql(database: str, statement: str) -> None:
    session = psycopg2.connect(_url_of(database))
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute(statement)
    session.close()


def _url_of(database: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()


def _point_to(database: str) -> None:
    os.environ["DATABASE_URL"] = _url_of(database)
    connection.settings_dict["NAME"] = database


class Running:
    """A process of ours and, for a worker, its children."""

    def __init__(self, name: str, arguments: list[str]) -> None:
        self.log = Path(settings.VAR_DIR) / f"{name}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=dict(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    @property
    def pids(self) -> list[int]:
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def stop(self) -> None:
        """What was measured is in the database: nothing is lost with the process."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def at_work(**queues: int) -> Iterator[dict[str, list[Running]]]:
    """A dispatcher and, for each queue, so many workers of one child each, all of them ready."""
    Presence.objects.all().delete()
    with ExitStack() as stack:
        started: dict[str, list[Running]] = {"dispatcher": [Running("dispatcher", _DISPATCHER)]}
        for queue, workers in queues.items():
            started[queue] = [
                Running(f"{queue}{place}", _worker(queue, place)) for place in range(workers)
            ]
        for process in (one for group in started.values() for one in group):
            stack.callback(process.stop)
        wanted = sum(queues.values())
        until(lambda: Presence.objects.filter(role=Role.WORKER).count() == wanted, 120)
        yield started


def _worker(queue: str, place: int) -> list[str]:
    arguments = ["-m", "celery", "-A", "worker", "worker", "--loglevel", "WARNING"]
    return [*arguments, "-Q", queue, "-c", "1", "-n", f"{queue}{place}@%h"]


def until(condition: Callable[[], bool], patience: float, every: float = 0.1) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {patience} s; logs in {settings.VAR_DIR}")
        time.sleep(every)
