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


def wait_until_blocked(count: int) -> None:
    """Return when `count` connections to this database wait for a lock (PostgreSQL only)."""
    deadline = time.monotonic() + 10
    while _blocked() < count:
        assert time.monotonic() < deadline, "nobody waits for the lock"
        time.sleep(0.01)


def _blocked() -> int:
    with connection.cursor() as cursor:
        # A sub-transaction-free look: pg_locks, unlike pg_stat_activity, isn't cached in one.
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])
