"""Transactions that read the database as it was at one moment, or wait for others only so long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

_SERIALIZATION_FAILURE = "40001"
_LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def consistent_read() -> Iterator[None]:
    """A transaction whose reads all see the same moment, whatever is posted meanwhile.

    On SQLite every transaction is so. Inside another transaction, that one's level holds.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def short_wait(seconds: int) -> Iterator[None]:
    """A transaction that waits at most so long for what another one has locked or inserted, and
    then raises an OperationalError which `was_kept_waiting`.

    On SQLite, and inside another transaction, it waits as that does.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = %s", [f"{seconds}s"])
        yield


def was_kept_waiting(error: OperationalError) -> bool:
    """Whether a `short_wait` ended because another transaction went on for longer."""
    return getattr(error.__cause__, "pgcode", None) == _LOCK_NOT_AVAILABLE


def was_overtaken(error: OperationalError) -> bool:
    """Whether a consistent read ended because somebody changed a row that it wanted to change."""
    return getattr(error.__cause__, "pgcode", None) == _SERIALIZATION_FAILURE
