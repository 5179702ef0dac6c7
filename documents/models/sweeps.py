"""A walk through the whole archive: is each file there, and still what was stored?"""

import uuid

from django.db import models

from worker.leasing import LeasedWork, WorkState


class ArchiveSweep(LeasedWork):
    """Done in pieces, each a lease: `cursor` is the last document that was looked at."""

    task_name = "documents.sweep_archive"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cursor = models.UUIDField(null=True, editable=False)
    checked = models.PositiveBigIntegerField(default=0)
    missing = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    orphans = models.PositiveBigIntegerField(default=0, help_text="Files of nobody, removed.")
    orphan_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue"],
                condition=models.Q(state__in=(WorkState.QUEUED, WorkState.RUNNING)),
                name="archive_sweep_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=WorkState.FAILED) | ~models.Q(failure=""),
                name="archive_sweep_failed_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.checked} checked, {self.missing} missing, {self.changed} changed"
