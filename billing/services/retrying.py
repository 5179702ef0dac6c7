"""Trying again what the database calls transient."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, connection

ResultT = TypeVar("ResultT")

# PostgreSQL's SQLSTATEs: serialization failure, deadlock, lock not available.
_STATES = frozenset({"40001", "40P01", "55P03"})
# A number that another posting or import took between the look and the write: the next is free.
_NUMBERS = frozenset(
    {
        "invoice_number_unique",
        "payment_number_unique",
        "return_number_unique",
        "challan_number_unique",
    }
)
_PAUSE = 0.02  # seconds, doubled at each try


def retry_transient(action: Callable[[], ResultT], tries: int = 3) -> ResultT:
    """What `action` returns, after at most `tries` tries (at least one).

    `action` owns its transaction. Inside of another one there is nothing to try again: that one
    is broken as a whole.
    """
    for attempt in range(1, max(tries, 1)):
        try:
            return action()
        except DatabaseError as error:
            if connection.in_atomic_block or not is_transient(error):
                raise
        # Those who met once must not meet again.
        time.sleep(_PAUSE * 2**attempt * random.uniform(0.5, 1))  # noqa: S311  not a secret
    return action()


def is_transient(error: DatabaseError) -> bool:
    """Whether the same statements may well succeed a moment later."""
    cause = error.__cause__
    if getattr(cause, "pgcode", None) in _STATES:
        return True
    diagnostics = getattr(cause, "diag", None)
    if getattr(diagnostics, "constraint_name", None) in _NUMBERS:
        return True
    text = str(error)
    return "database is locked" in text or "database table is locked" in text
