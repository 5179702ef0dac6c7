"""How long ago a paper was last made all the way."""

from datetime import timedelta

from django.db import models

from documents.models import Canary
from worker.clock import database_now
from worker.leasing import WorkState

# People wait for the one, runs for the other.
CANARY_QUEUES = ("interactive", "batch")


def canary_ages() -> dict[str, timedelta | None]:
    """By queue, since the last one was ready; None: there was none."""
    done = Canary.objects.filter(state=WorkState.DONE).order_by()
    last = dict(done.values_list("queue").annotate(at=models.Max("finished_at")))
    now = database_now()
    return {
        queue: max(timedelta(0), now - last[queue]) if queue in last else None
        for queue in CANARY_QUEUES
    }
