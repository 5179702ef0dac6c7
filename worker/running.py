"""Claim, commit, work, record: the one way in which a task does leased work."""

import logging
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, close_old_connections
from structlog.contextvars import bound_contextvars

from worker.keeping import LeaseKeeper
from worker.leasing import LeasedWork

logger = logging.getLogger("pressroom.worker")

WorkT = TypeVar("WorkT", bound=LeasedWork)


class WorkFailed(Exception):
    """The work itself can't succeed; trying again would end the same way.

    `reason` is shown to the person who asked, `detail` to operators.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class TryAgain(WorkFailed):
    """The work could not be done now, for a reason that may pass."""


def work_on(model: type[WorkT], pk: Any, do: Callable[[WorkT], None]) -> str:
    """Claim row `pk` and do its work; `do` records the result with `finish`.

    Returns the outcome in a word, for the log. A message that comes twice, or late, finds
    nothing to claim and returns.
    """
    with bound_contextvars(work=model._meta.model_name, work_id=str(pk)):
        outcome = _work_on(model, pk, do)
        logger.info(outcome)
    return outcome


def _work_on(model: type[WorkT], pk: Any, do: Callable[[WorkT], None]) -> str:
    work = model.claim(pk)
    if work is None:
        return "nothing to claim"
    try:
        with LeaseKeeper(work):
            do(work)
    except TryAgain as error:
        return _failed(work, error.reason, f"{error.detail}\n{_trace()}".strip(), retry=True)
    except WorkFailed as error:
        return _failed(work, error.reason, error.detail, retry=False)
    except MemoryError:
        return _failed(work, "It needed more memory than is allowed.", _trace(), retry=False)
    except (DatabaseError, InterfaceError):
        # On a line of its own: the one that was cut can't record it. If the database is away, the
        # lease runs out and the dispatcher queues it again.
        close_old_connections()
        return _failed(work, "The database was away or busy.", _trace(), retry=True)
    except Exception as error:  # noqa: BLE001  a task's boundary: recorded, and tried again
        reason = f"An unexpected error: {type(error).__name__}."
        return _failed(work, reason, _trace(), retry=True)
    return "done"


def _failed(work: LeasedWork, reason: str, detail: str, *, retry: bool) -> str:
    recorded = work.fail(reason=reason, detail=detail, retry=retry)
    logger.warning("%s %s: %s", type(work).__name__, work.pk, reason)
    return "failed" if recorded else "failed, but the lease was lost"


def _trace() -> str:
    return traceback.format_exc()[-8000:]
