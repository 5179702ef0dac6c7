"""Adding a company's balances up again: a run of leased chunks, and each drift that they found."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from accounts.scoping import CompanyOwned
from billing.models.fields import amount_field
from billing.models.parties import Party
from worker.leasing import LeasedWork, WorkState


class RecomputationMode(models.TextChoices):
    REPORT = "report", "report only"
    APPLY = "apply", "report and correct"


class RecomputationState(models.TextChoices):
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class Recomputation(CompanyOwned):
    """One open a company. The counts are those of the chunks, written when the last one ends."""

    number = models.PositiveIntegerField(editable=False)
    mode = models.CharField(max_length=10, choices=RecomputationMode.choices)
    state = models.CharField(
        max_length=10, choices=RecomputationState.choices, default=RecomputationState.RUNNING
    )
    night_of = models.DateField(
        null=True, help_text="The company's day, of one that the schedule began."
    )
    corrects = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="corrections",
        help_text="The report whose drifting parties, and no others, this one corrects.",
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    parties = models.PositiveIntegerField(default=0, help_text="Compared.")
    drifting = models.PositiveIntegerField(default=0, help_text="Parties with a drift.")
    corrected = models.PositiveIntegerField(default=0, help_text="Parties put right.")
    unneeded = models.PositiveIntegerField(default=0, help_text="Balances that hold nothing.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company"],
                condition=models.Q(state=RecomputationState.RUNNING),
                name="recomputation_one_open",
            ),
            models.UniqueConstraint(
                fields=["company", "night_of"], name="recomputation_once_a_night"
            ),
            models.UniqueConstraint(fields=["company", "number"], name="recomputation_number"),
            models.CheckConstraint(
                condition=models.Q(corrects=None) | models.Q(mode=RecomputationMode.APPLY),
                name="recomputation_only_applying_corrects",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-created_at"], name="recomputation_recent"),
        ]

    def __str__(self) -> str:
        return f"Recomputation {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("billing:recomputation", args=[self.pk])

    @property
    def is_final(self) -> bool:
        return self.state != RecomputationState.RUNNING

    @property
    def applies(self) -> bool:
        return self.mode == RecomputationMode.APPLY


class RecomputationChunk(LeasedWork):
    """The parties whose ids lie between `first` and `last`, both inside.

    The chunks of a run follow each other without a gap and cover every id there may be, so that
    a party that is entered meanwhile belongs to one of them.
    """

    task_name: ClassVar[str] = "billing.recompute_chunk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recomputation = models.ForeignKey(
        Recomputation, on_delete=models.CASCADE, related_name="chunks"
    )
    position = models.PositiveIntegerField()
    first = models.UUIDField()
    last = models.UUIDField()
    parties = models.PositiveIntegerField(default=0, help_text="As many as when it was cut.")
    drifting = models.PositiveIntegerField(default=0)
    corrected = models.PositiveIntegerField(default=0)
    unneeded = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recomputation", "position"], name="recomputation_chunk_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=WorkState.FAILED) | ~models.Q(failure=""),
                name="recomputation_chunk_failed_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "turn", "created_at"],
                condition=models.Q(state=WorkState.QUEUED),
                name="recomputation_chunk_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.recomputation_id} · {self.position}"


class BalanceDrift(models.Model):
    """A column of a party's balance that was not what its documents come to."""

    class Column(models.TextChoices):
        INVOICED = "invoiced", "Invoiced"
        RETURNED = "returned", "Returned"
        PAID = "paid", "Paid"
        CURRENT = "current", "Current"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recomputation = models.ForeignKey(
        Recomputation, on_delete=models.CASCADE, related_name="drifts"
    )
    chunk = models.ForeignKey(RecomputationChunk, on_delete=models.CASCADE, related_name="drifts")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    column = models.CharField(max_length=10, choices=Column.choices)
    before = amount_field()
    after = amount_field(help_text="What its documents come to.")
    is_applied = models.BooleanField(default=False)
    cause = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recomputation", "party", "column"], name="balance_drift_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.party_id} {self.column}: {self.before} -> {self.after}"
