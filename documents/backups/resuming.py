"""Work that was under way when the backup was made is done again, and what must not be, is not."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Greatest, Now

from worker.leasing import WorkState, leased_models

_UNCLAIMED: dict[str, Any] = {"token": None, "lease_expires_at": None}


def resume_work() -> dict[str, int]:
    """How much waits now, by its kind. In the caller's transaction.

    What was being handed over to a mail server goes to where a person decides; all else that was
    running waits again, its attempt uncounted. Whatever was published is published again.
    """
    waiting = {}
    for model in leased_models():
        running = model._base_manager.filter(state=WorkState.RUNNING)
        running.update(lease_expires_at=Now() - timedelta(days=1))
        model.settle_lost()
        running.update(
            state=WorkState.QUEUED,
            attempts=Greatest(models.F("attempts") - 1, 0),
            **_UNCLAIMED,
        )
        queued = model._base_manager.filter(state=WorkState.QUEUED)
        queued.update(published_at=None)
        if count := queued.count():
            waiting[str(model._meta.verbose_name_plural)] = count
    return waiting
