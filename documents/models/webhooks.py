"""A company's own systems, told of outcomes by signed HTTP (Standard Webhooks)."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.scoping import CompanyManager, CompanyOwned
from worker.leasing import LeasedWork, WorkState


def webhook_attempts() -> int:
    """5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h between ten attempts: three days."""
    return 10


class WebhookEndpoint(CompanyOwned):
    url = models.URLField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    secret = models.CharField(max_length=100, help_text="whsec_ and base64.")
    events = models.JSONField(default=list, help_text="Names of the events it wants.")
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[CompanyManager["WebhookEndpoint"]] = CompanyManager()

    class Meta:
        indexes = [models.Index(fields=["company", "created_at"], name="webhook_of_company")]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(CompanyOwned, LeasedWork):
    """One event to one endpoint. Its id is the message id, the same at each attempt."""

    task_name = "documents.send_webhook"

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
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint_id}"
