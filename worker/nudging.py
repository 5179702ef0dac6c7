"""Messages that nudge a worker towards a row. Best effort: the row is committed already."""

import logging
import time
from collections.abc import Iterable

from django.db import models, transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError
from structlog.contextvars import bound_contextvars

from worker.celery import app
from worker.leasing import LeasedWork

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


def publish(rows: Iterable[LeasedWork]) -> list[LeasedWork]:
    """Send a message a row and mark the rows as published; return those that could not be sent.

    A publish that raised may be in the queue anyway: a message twice is a message once.
    """
    sent: list[LeasedWork] = []
    unsent = list(rows)
    try:
        while unsent:
            row = unsent[0]
            _send(row)
            sent.append(unsent.pop(0))
    except (OperationalError, OSError) as error:
        logger.warning("The broker took %d of %d: %s", len(sent), len(sent) + len(unsent), error)
    if sent:
        _mark_published(sent)
    return unsent


def _send(row: LeasedWork) -> None:
    """The ids go into the line about it, and with the message into the worker's lines."""
    with bound_contextvars(work=row._meta.model_name, work_id=str(row.pk)):
        app.send_task(row.task_name, args=[str(row.pk)], queue=row.queue, ignore_result=True)


def _mark_published(rows: list[LeasedWork]) -> None:
    model: type[models.Model] = type(rows[0])
    model._base_manager.filter(pk__in=[row.pk for row in rows]).update(published_at=Now())
