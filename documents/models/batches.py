"""A run of many papers: one row a party, whether it gets a paper or is left out with a reason."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Company
from accounts.scoping import CompanyOwned
from documents.models.documents import Document
from worker.leasing import LeasedWork, WorkState


class BatchState(models.TextChoices):
    PLANNING = "planning", "planning"
    RUNNING = "running", "running"
    DONE = "done", "done"
    CANCELLED = "cancelled", "cancelled"


class Batch(CompanyOwned):
    kind = models.CharField(max_length=30)
    title = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict)
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=BatchState.choices, default=BatchState.PLANNING)
    # E-mail each paper to its party when it is ready.
    send = models.BooleanField(default=False)
    is_paused = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    planned_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # When its end was told to who waits for it, and how often it ended (a retry ends it again).
    announced_at = models.DateTimeField(null=True, editable=False)
    occurrence = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["company", "-created_at"], name="batch_recent"),
            models.Index(
                fields=["state"],
                condition=models.Q(state=BatchState.RUNNING),
                name="batch_running",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(announced_at=None, state__in=("done", "cancelled")),
                name="batch_unannounced",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("documents:batch", args=[self.pk])

    @property
    def is_final(self) -> bool:
        return self.state in (BatchState.DONE, BatchState.CANCELLED)


class BatchItem(models.Model):
    """A party in a run. Without a document it was skipped, and `skipped_reason` says why."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    subject_id = models.UUIDField()
    code = models.CharField(max_length=60, blank=True)
    name = models.CharField(max_length=200, blank=True)
    document = models.ForeignKey(
        Document, null=True, on_delete=models.PROTECT, related_name="batch_items"
    )
    skipped_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "subject_id"], name="batch_item_once_per_subject"
            ),
            models.CheckConstraint(
                condition=models.Q(document__isnull=True) ^ models.Q(skipped_reason=""),
                name="batch_item_has_paper_or_reason",
            ),
        ]
        indexes = [models.Index(fields=["batch", "position"], name="batch_item_order")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class BatchJob(LeasedWork):
    """A step of a batch that one worker does as a whole, such as planning it."""

    class Step(models.TextChoices):
        PLAN = "plan", "plan"
        COVER = "cover", "covering list"
        ZIP = "zip", "ZIP"
        MERGE = "merge", "merged PDF"

    task_name = "documents.run_batch_job"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="jobs")
    step = models.CharField(max_length=10, choices=Step.choices)
    # How far it is, and, of a step that makes a file, what was made.
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    storage_key = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    # Which papers are in the file: a digest of their ids and hashes. Another: the file is old.
    contents = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "step"], name="batch_job_once_per_step"),
            models.CheckConstraint(
                condition=~models.Q(state=WorkState.FAILED) | ~models.Q(failure=""),
                name="batch_job_failed_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "turn", "created_at"],
                condition=models.Q(state=WorkState.QUEUED),
                name="batch_job_waiting",
            )
        ]

    @classmethod
    def time_limit(cls) -> int:
        return int(settings.RUN_TIME_LIMIT)

    def __str__(self) -> str:
        return f"{self.get_step_display()} · {self.batch_id}"
