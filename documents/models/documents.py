"""One piece of paper: asked for as a frozen snapshot, then made, stored and never changed."""

from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, Now
from django.urls import reverse

from accounts.scoping import CompanyManager, CompanyOwned, CompanyQuerySet
from worker.leasing import LeasedWork, WorkState


class DocumentState(models.TextChoices):
    QUEUED = WorkState.QUEUED, "queued"
    RUNNING = WorkState.RUNNING, "being made"
    READY = "ready", "ready"
    FAILED = WorkState.FAILED, "failed"
    CANCELLED = WorkState.CANCELLED, "cancelled"


class Damage(models.TextChoices):
    MISSING = "missing", "missing"
    CHANGED = "changed", "changed"


# Stands for the day that a paper without a period lacks: a unique index takes nulls for different.
NO_DAY = models.Value(date.min, output_field=models.DateField())

FINAL_STATES = (DocumentState.READY, DocumentState.FAILED, DocumentState.CANCELLED)


class DocumentManager(CompanyManager["Document"]):
    """Leaves the snapshot in the database: it is large, and only the renderer reads it."""

    def get_queryset(self) -> "CompanyQuerySet[Document]":
        return super().get_queryset().defer("snapshot")


class Document(CompanyOwned, LeasedWork):
    task_name = "documents.make_document"
    done_state = DocumentState.READY

    state = models.CharField(
        max_length=10, choices=DocumentState.choices, default=DocumentState.QUEUED
    )
    kind = models.CharField(max_length=30)
    title = models.CharField(max_length=200)
    # What the paper is about and to whom it goes, for lists and for checks before sending. The
    # engine does not know which tables these ids come from.
    subject_id = models.UUIDField()
    recipient_id = models.UUIDField()
    recipient_code = models.CharField(max_length=60, blank=True)
    recipient_name = models.CharField(max_length=200, blank=True)
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    amount = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    currency = models.CharField(max_length=3, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The facts, frozen when the paper was asked for, and what they come to.
    snapshot = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    template_version = models.PositiveIntegerField()
    locale = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=1)
    supersedes = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="successors"
    )
    # When these facts were last found to be the present ones. Of the versions of a paper the
    # latest is the one that stands: usually the newest, an older one if the facts went back.
    current_since = models.DateTimeField(db_default=Now(), editable=False)
    # The file, once it is made.
    storage_key = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    pages = models.PositiveIntegerField(default=0)
    render_milliseconds = models.PositiveIntegerField(default=0)
    made_by = models.CharField(max_length=100, blank=True, help_text="host:pid of the worker.")
    # When the outcome was told to who waits for it, and how often there was one.
    announced_at = models.DateTimeField(null=True, editable=False)
    occurrence = models.PositiveIntegerField(default=0, editable=False)
    # A failure that a person has seen and put away from the lists.
    cleared_at = models.DateTimeField(null=True, editable=False)
    # What the sweep of the archive found when it last looked at the file.
    checked_at = models.DateTimeField(null=True, editable=False)
    damage = models.CharField(max_length=10, choices=Damage.choices, blank=True, editable=False)
    damaged_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[DocumentManager] = DocumentManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "fingerprint"], name="document_fingerprint_once_per_company"
            ),
            models.UniqueConstraint(
                "company",
                "kind",
                "subject_id",
                Coalesce("period_start", NO_DAY),
                Coalesce("period_end", NO_DAY),
                "version",
                name="document_version_once_per_paper",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=DocumentState.READY)
                | (
                    models.Q(size__gt=0, pages__gt=0)
                    & ~models.Q(sha256="")
                    & ~models.Q(storage_key="")
                ),
                name="document_ready_has_a_file",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=DocumentState.FAILED) | ~models.Q(failure=""),
                name="document_failed_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-created_at"], name="document_recent"),
            models.Index(fields=["company", "state", "-created_at"], name="document_by_state"),
            models.Index(fields=["company", "kind", "-created_at"], name="document_by_kind"),
            models.Index(fields=["company", "period_end"], name="document_by_period"),
            models.Index(fields=["company", "recipient_id"], name="document_recipient"),
            models.Index(
                fields=["queue", "turn", "created_at"],
                condition=models.Q(state=DocumentState.QUEUED),
                name="document_waiting",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=models.Q(state=DocumentState.RUNNING),
                name="document_leased",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(
                    announced_at=None, state__in=(DocumentState.READY, DocumentState.FAILED)
                ),
                name="document_unannounced",
            ),
            # For counting what ended, and for what failed and nobody put away.
            models.Index(
                fields=["finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="document_finished",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(state=DocumentState.FAILED),
                name="document_failed_at",
            ),
            models.Index(
                fields=["company", "-created_at"],
                condition=models.Q(cleared_at__isnull=False),
                name="document_cleared",
            ),
            models.Index(
                fields=["company", "-created_at"],
                condition=~models.Q(damage=""),
                name="document_damaged",
            ),
            models.Index(
                fields=["storage_key"],
                condition=~models.Q(storage_key=""),
                name="document_file",
            ),
            models.Index(fields=["company", "sha256"], name="document_hash"),
            models.Index(fields=["fingerprint"], name="document_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("documents:detail", args=[self.pk])

    @classmethod
    def open_failures(cls) -> "models.QuerySet[Document]":
        return super().open_failures().filter(cleared_at=None)

    @property
    def is_ready(self) -> bool:
        return self.state == DocumentState.READY

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES
