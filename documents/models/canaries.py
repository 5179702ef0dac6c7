"""A paper that nobody asked for, made all the way at intervals to see whether papers are made."""

import uuid

from django.db import models

from worker.leasing import LeasedWork, WorkState


class Canary(LeasedWork):
    """Goes the way of any paper (row, message, lease, render, archive, read back) and is of no
    company, so that it shows in no list, count or charge of one. A few minutes later it is removed.
    """

    task_name = "documents.make_canary"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    storage_key = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    milliseconds = models.PositiveIntegerField(default=0, help_text="From being asked for to done.")

    class Meta:
        verbose_name_plural = "canaries"
        constraints = [
            models.UniqueConstraint(
                fields=["queue"],
                condition=models.Q(state__in=(WorkState.QUEUED, WorkState.RUNNING)),
                name="canary_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queue} · {self.created_at}"
