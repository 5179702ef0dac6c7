"""Several threads at the same spot at the same time, each with a database connection of its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """Run all at once; what each returned, or the exception that it raised."""
    return start(*functions)()


def start(*functions: Callable[[], Any]) -> Callable[[], list[Any]]:
    """Start all at once, and return the function that waits for what they return."""
    gate = threading.Barrier(len(functions))

    def run(function: Callable[[], Any]) -> Any:
        try:
            gate.wait(10)
            return function()
        except Exception as error:
            return error
        finally:
            connection.close()

    pool = ThreadPoolExecutor(len(functions))
    futures = [pool.submit(run, function) for function in functions]

    def results() -> list[Any]:
        found = [future.result(30) for future in futures]
        pool.shutdown()
        return found

    return results


def wait_until_blocked(count: int, unless: Callable[[], bool] = lambda: False) -> None:
    """Return when `count` connections to this database wait for a lock, or `unless` is true
    (PostgreSQL only).
    """
    deadline = time.monotonic() + 10
    while not unless() and _blocked() < count:
        assert time.monotonic() < deadline, "nobody waits for the lock"
        time.sleep(0.01)


# Who waits for another's transaction waits for a lock of no database, but holds some of its own.
# pg_stat_activity would name it too, but is read once in a transaction.
_WAITING = """
SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN (
    SELECT pid FROM pg_locks
    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


def _blocked() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return int(cursor.fetchone()[0])
