"""Messages that nudge a worker towards a row. Best effort: the row is committed already."""

import logging
import time
from collections.abc import Iterable

from django.db import transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError
from structlog.contextvars import bound_contextvars

from worker.celery import app
from worker.leasing import LeasedWork, WorkState

logger = logging.getLogger("pressroom.worker")

# After a failure this process leaves publishing to the dispatcher for a while, so that a broker
# that is down or frozen costs one request its seconds, and not every request.
_PAUSE_SECONDS = 10.0
_paused_until = 0.0


def nudge_on_commit(work: LeasedWork) -> None:
    """Publish `work` once the transaction that wrote it is committed."""
    transaction.on_commit(lambda: _nudge(work), robust=True)


def _nudge(work: LeasedWork) -> None:
    global _paused_until
    if time.monotonic() < _paused_until:
        return
    if publish([work]):
        _paused_until = time.monotonic() + _PAUSE_SECONDS
    else:
        # A quick worker may have given it back for another attempt already, which is not published.
        as_sent = {"state": WorkState.QUEUED, "attempts": work.attempts, "published_at": None}
        type(work)._base_manager.filter(pk=work.pk, **as_sent).update(published_at=Now())


def publish(rows: Iterable[LeasedWork]) -> list[LeasedWork]:
    """Send a message a row; return those that could not be sent.

    A publish that raised may be in the queue anyway: a message twice is a message once.
    """
    unsent = list(rows)
    number = len(unsent)
    try:
        while unsent:
            _send(unsent[0])
            del unsent[0]
    except (OperationalError, OSError) as error:
        logger.warning("The broker took %d of %d: %s", number - len(unsent), number, error)
    return unsent


def _send(row: LeasedWork) -> None:
    """The ids go into the line about it, and with the message into the worker's lines."""
    with bound_contextvars(work=row._meta.model_name, work_id=str(row.pk)):
        app.send_task(row.task_name, args=[str(row.pk)], queue=row.queue, ignore_result=True)
