"""A walk through the whole archive: is each file there, and still what was stored?"""

import uuid

from django.db import models

from worker.leasing import LeasedWork, WorkState


class ArchiveSweep(LeasedWork):
    """Done in pieces, each a lease: first every document's file, then, folder by folder, the
    files that belong to nobody. Those are counted before any is removed.
    """

    class Stage(models.TextChoices):
        DOCUMENTS = "documents", "checking documents"
        COUNTING = "counting", "looking for files of nobody"
        REMOVING = "removing", "removing files of nobody"

    task_name = "documents.sweep_archive"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.DOCUMENTS)
    # How far it is: the last document that was looked at, and the last folder.
    cursor = models.UUIDField(null=True, editable=False)
    folder = models.CharField(max_length=300, blank=True, editable=False)
    told_at = models.DateTimeField(null=True, help_text="All documents checked, owners told.")
    checked = models.PositiveBigIntegerField(default=0)
    missing = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    strays = models.PositiveBigIntegerField(default=0, help_text="Files of nobody, counted.")
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
