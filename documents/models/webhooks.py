"""A company's own systems, told of outcomes by signed HTTP (Standard Webhooks)."""

import hashlib
import random
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.scoping import CompanyManager, CompanyOwned
from documents.models.notifications import Event
from worker.leasing import LeasedWork, WorkState

WEBHOOK_EVENTS = (
    Event.DOCUMENT_READY,
    Event.DOCUMENT_FAILED,
    Event.RUN_FINISHED,
    Event.RUN_FAILED,
)
TEST_EVENT = "webhook.test"

_SECOND, _HOUR = timedelta(seconds=1), timedelta(hours=1)
# The schedule that the specification of Standard Webhooks recommends: three days and a bit.
WAITS = (
    5 * _SECOND,
    300 * _SECOND,
    1800 * _SECOND,
    *(hours * _HOUR for hours in (2, 5, 10, 14, 20, 24)),
)
LONGEST_WAIT = 24 * _HOUR
_JITTER = 0.1


def webhook_attempts() -> int:
    """5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h between ten attempts."""
    return len(WAITS) + 1


class WebhookEndpoint(CompanyOwned):
    url = models.URLField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    secret = models.CharField(max_length=100, help_text="whsec_ and base64.")
    # After a change of the secret both sign for a while, so that nothing is refused meanwhile.
    old_secret = models.CharField(max_length=100, blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    events = models.JSONField(default=list, help_text="Names of the events it wants.")
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    # Since when no attempt was answered at all.
    silent_since = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[CompanyManager["WebhookEndpoint"]] = CompanyManager()

    class Meta:
        indexes = [models.Index(fields=["company", "created_at"], name="webhook_of_company")]

    def __str__(self) -> str:
        return self.url

    def get_absolute_url(self) -> str:
        return reverse("documents:webhook", args=[self.pk])

    def secrets(self, now: datetime) -> list[str]:
        """Those to sign with at `now`, the newest first."""
        old_holds = self.old_secret_until is not None and now < self.old_secret_until
        return [self.secret, self.old_secret] if old_holds else [self.secret]

    @property
    def secret_mark(self) -> str:
        """Tells one secret from the next without telling it."""
        return hashlib.sha256(self.secret.encode()).hexdigest()[:16]

    @property
    def old_secret_holds(self) -> bool:
        return len(self.secrets(timezone.now())) > 1


class WebhookDelivery(CompanyOwned, LeasedWork):
    """One event to one endpoint. The message's id is the same at each attempt and each replay."""

    task_name = "documents.send_webhook"
    # The states in the words of who waits for it.
    STATES = [
        (WorkState.QUEUED, "waiting"),
        (WorkState.RUNNING, "being sent"),
        (WorkState.DONE, "delivered"),
        (WorkState.FAILED, "not delivered"),
        (WorkState.CANCELLED, "cancelled"),
    ]
    # Given by the receiver with the answer to this attempt: not before that.
    asked_to_wait = timedelta(0)

    max_attempts = models.PositiveSmallIntegerField(default=webhook_attempts)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    event = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    occurrence = models.PositiveIntegerField(default=1)
    payload = models.JSONField()
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP, of the last attempt.")
    answer = models.CharField(max_length=500, blank=True, help_text="The answer's beginning.")
    milliseconds = models.PositiveIntegerField(default=0)
    replay_of = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="replays"
    )

    objects: ClassVar[CompanyManager["WebhookDelivery"]] = CompanyManager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event", "subject_id", "occurrence"],
                condition=models.Q(replay_of=None),
                name="webhook_once_per_outcome",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=WorkState.FAILED) | ~models.Q(failure=""),
                name="webhook_failed_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-created_at"], name="webhook_recent"),
            models.Index(
                fields=["queue", "turn", "created_at"],
                condition=models.Q(state=WorkState.QUEUED),
                name="webhook_waiting",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=models.Q(state=WorkState.RUNNING),
                name="webhook_leased",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(state=WorkState.FAILED),
                name="webhook_failed_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint_id}"

    def get_absolute_url(self) -> str:
        return reverse("documents:webhook_delivery", args=[self.pk])

    @property
    def message_id(self) -> str:
        """What a receiver tells repetitions by. A replay repeats: it keeps the first one's id."""
        original = self.replay_of_id or self.pk
        return f"msg_{original.hex}"

    @property
    def is_final(self) -> bool:
        return self.state not in (WorkState.QUEUED, WorkState.RUNNING)

    @property
    def state_in_words(self) -> str:
        return dict(self.STATES)[WorkState(self.state)]

    def note_answer(self, **fields: Any) -> bool:
        """What came of this attempt, before it is finished or failed."""
        return self._change(**fields)

    def wait_before_next(self) -> timedelta:
        """By the schedule and up to a tenth more, so that what failed together comes apart."""
        wait = WAITS[min(self.attempts, len(WAITS)) - 1]
        wait *= 1 + _JITTER * random.random()  # noqa: S311  no secret
        return max(wait, min(self.asked_to_wait, LONGEST_WAIT))
