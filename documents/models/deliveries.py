"""Papers on their way to people: one delivery per (document, channel, recipient), sent once."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from accounts.models import Company
from accounts.scoping import CompanyManager, CompanyOwned
from documents.models.batches import Batch
from documents.models.documents import Document
from worker.leasing import LeasedWork, WorkState


class Channel(models.TextChoices):
    EMAIL = "email", "e-mail"


class DeliveryState(models.TextChoices):
    QUEUED = WorkState.QUEUED, "waiting"
    RUNNING = WorkState.RUNNING, "being sent"
    SENT = "sent", "sent"
    FAILED = WorkState.FAILED, "not sent"
    CANCELLED = WorkState.CANCELLED, "cancelled"
    # The process died, or the line did, after the message was handed over and before the answer:
    # it may have arrived. A person decides; it is never sent again by itself.
    UNKNOWN = "unknown", "perhaps sent"
    # The server took it and a notice came back, or a person says so.
    BOUNCED = "bounced", "came back"


class Delivery(CompanyOwned, LeasedWork):
    """`held` until its document is ready. Subject and body are frozen when it is asked for."""

    task_name = "documents.send_delivery"
    done_state = DeliveryState.SENT

    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED
    )
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="deliveries")
    batch = models.ForeignKey(
        Batch, null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    recipient_id = models.UUIDField()
    recipient_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=254, blank=True, help_text="Empty: there is none.")
    subject = models.CharField(max_length=250, blank=True)
    body = models.TextField(blank=True)
    message_id = models.CharField(max_length=200, unique=True, help_text="Without the brackets.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Its place in the company's rate limit, and the moment the message began to be handed over.
    slot_at = models.DateTimeField(null=True, editable=False)
    handing_over_at = models.DateTimeField(null=True, editable=False)
    answer = models.CharField(max_length=500, blank=True, help_text="What the mail server said.")

    objects: ClassVar[CompanyManager["Delivery"]] = CompanyManager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["document", "channel", "recipient_id"], name="delivery_once_per_recipient"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=WorkState.FAILED) | ~models.Q(failure=""),
                name="delivery_failed_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=DeliveryState.SENT) | ~models.Q(address=""),
                name="delivery_sent_has_an_address",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-created_at"], name="delivery_recent"),
            models.Index(fields=["batch", "state"], name="delivery_of_batch"),
            models.Index(
                fields=["queue", "turn", "created_at"],
                condition=models.Q(state=WorkState.QUEUED),
                name="delivery_waiting",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=models.Q(state=WorkState.RUNNING),
                name="delivery_leased",
            ),
            models.Index(
                fields=["company", "state"],
                condition=models.Q(state__in=("unknown", "failed", "bounced")),
                name="delivery_to_decide",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_name} <{self.address}>"


class MailSettings(models.Model):
    """How a company's e-mails go out."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, related_name="mail_settings")
    from_name = models.CharField(max_length=100, blank=True, help_text="Empty: the legal name.")
    from_address = models.EmailField(blank=True, help_text="Empty: the address of this server.")
    reply_to = models.EmailField(blank=True, help_text="Empty: the company's e-mail.")
    per_minute = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(6000)],
        help_text="E-mails a minute, at most.",
    )
    # The first moment at which this company may send again; moved by a conditional UPDATE.
    next_slot_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "mail settings"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(per_minute__range=(1, 6000)), name="mail_per_minute_valid"
            )
        ]

    def __str__(self) -> str:
        return f"mail of {self.company_id}"


class MailTemplate(models.Model):
    """What the e-mail with one kind of paper says. Placeholders stand in braces: {party}."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="mail_templates")
    kind = models.CharField(max_length=30, help_text="Of the paper.")
    subject = models.CharField(max_length=200)
    body = models.TextField(max_length=5000)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "kind"], name="mail_template_once_per_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.company_id}"
