"""Queues in which work waits and nobody listens."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now

from worker import broker, presence
from worker.leasing import leased_models
from worker.models import Role

# Work that is younger than this may simply not have been taken yet.
_PATIENCE = timedelta(seconds=15)


def queues_without_listener() -> dict[str, datetime]:
    """Queues in which due work waits that no worker listens to, and since when it is due.

    One query where every queue has its listener, else two.
    """
    heard = _heard()
    unheard = [queue for queue in broker.queue_names() if queue not in heard]
    return _waiting_in(unheard) if unheard else {}


def is_heard(queue: str) -> bool:
    """Whether a worker that was seen lately listens to it, also where nothing waits in it."""
    return queue in _heard()


def _heard() -> set[str]:
    workers = presence.present().filter(role=Role.WORKER)
    return {queue for queues in workers.values_list("queues", flat=True) for queue in queues}


def _waiting_in(queues: list[str]) -> dict[str, datetime]:
    """Since when work waits in each queue in which some has waited long enough to ask."""
    first, *others = [
        model.due()
        .order_by()
        .filter(queue__in=queues, next_attempt_at__lte=Now() - _PATIENCE)
        .values_list("queue")
        .annotate(since=models.Min("next_attempt_at"))
        for model in leased_models()
    ]
    oldest: dict[str, datetime] = {}
    for queue, since in first.union(*others, all=True):
        oldest[queue] = min(since, oldest.get(queue, since))
    return dict(sorted(oldest.items()))
