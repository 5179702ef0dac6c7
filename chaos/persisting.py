"""As whoever presses the button again: what a fault broke off is asked for once more."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, InterfaceError, connection

ResultT = TypeVar("ResultT")

_PATIENCE = 180.0  # seconds
BROKEN: list[str] = []


def persist(action: Callable[[], ResultT]) -> ResultT:
    """What `action` returns once the database lets it; it must be safe to ask for twice.

    A refused duplicate is no fault of a server: it is noted as damage.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return action()
        except (DatabaseError, InterfaceError) as error:
            if isinstance(error, IntegrityError):
                BROKEN.append(repr(error))
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
