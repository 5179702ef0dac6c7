"""The kind of pool that a worker may have: children that are processes."""

from collections.abc import Iterator
from typing import Any

from celery.concurrency import get_implementation
from celery.concurrency.prefork import TaskPool

from worker.preflight import Problem


def children_are_processes(pool: Any) -> Iterator[Problem]:
    """`pool` as Celery has it: a name or a class."""
    chosen = get_implementation(pool)
    if not issubclass(chosen, TaskPool):
        yield Problem(
            f"Its pool is {chosen.__module__}: without processes of its own no time limit ends a "
            "paper that hangs, and one that eats memory takes the others with it. "
            "Start it without -P."
        )
