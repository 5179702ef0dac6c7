"""Several queries that see the database as it was at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

_SERIALIZATION_FAILURE = "40001"


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


def was_overtaken(error: OperationalError) -> bool:
    """Whether a consistent read ended because somebody changed a row that it wanted to change."""
    return getattr(error.__cause__, "pgcode", None) == _SERIALIZATION_FAILURE
