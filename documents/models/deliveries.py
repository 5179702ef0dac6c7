"""Papers on their way to people: one delivery per (document, channel, recipient), sent once."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    ProhibitNullCharactersValidator,
    RegexValidator,
)
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import Company
from accounts.scoping import CompanyManager, CompanyOwned
from documents.models.batches import Batch
from documents.models.documents import Document
from worker.leasing import LeasedWork, WorkState


class Channel(models.TextChoices):
    EMAIL = "email", "e-mail"


# Lines of a header end where one of these stands; nothing that goes into one may hold them.
one_line = RegexValidator(r"[\x00-\x1f\x7f\u0085\u2028\u2029]", "On one line.", inverse_match=True)

_WAITS = (1, 5, 15, 30, 60)


def mail_attempts() -> int:
    """1, 5, 15, 30 minutes, then an hour between nine attempts: six hours, as for a grey list."""
    return 9


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


# What may be sent again without asking: nothing of it arrived.
UNSENT = (DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.BOUNCED)


class Delivery(CompanyOwned, LeasedWork):
    """`held` while its document is not ready, or its run is paused; also where the document failed,
    so that it goes out when that is made after all. Subject and body are frozen when it is asked
    for.

    `handing_over_at` marks what a mail server may have. With it a row is never claimed, whatever
    its state says: only an answer of the server, or a person, takes the mark away.
    """

    task_name = "documents.send_delivery"
    done_state = DeliveryState.SENT

    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED
    )
    max_attempts = models.PositiveSmallIntegerField(default=mail_attempts)
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
                fields=["document"],
                condition=models.Q(held=True),
                name="delivery_held",
            ),
            models.Index(
                fields=["state"],
                condition=models.Q(
                    handing_over_at__isnull=False, state__in=("queued", "running", "failed")
                ),
                name="delivery_handed_over",
            ),
            models.Index(
                fields=["company", "state"],
                condition=models.Q(state__in=("unknown", "failed", "bounced")),
                name="delivery_to_decide",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(state=WorkState.FAILED),
                name="delivery_failed_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_name} <{self.address}>"

    def get_absolute_url(self) -> str:
        return reverse("documents:delivery", args=[self.pk])

    @classmethod
    def due(cls) -> "models.QuerySet[Self]":
        return super().due().filter(handing_over_at=None)

    def hand_over(self) -> bool:
        """Mark that the server gets the message now. False: the lease was lost, it must not."""
        return self._mark(Now(), lease_expires_at=Now() + settings.WORK_LEASE)

    def take_back(self) -> bool:
        """The server answered that it did not take the message."""
        return self._mark(None)

    def _mark(self, moment: Any, **fields: Any) -> bool:
        changed = self._change(handing_over_at=moment, **fields)
        if changed:
            self.handing_over_at = None if moment is None else timezone.now()
        return changed

    def fail(self, *, reason: str, detail: str = "", retry: bool) -> bool:
        """As any work; but what was handed over without an answer is left to a person."""
        if self.handing_over_at is None:
            return super().fail(reason=reason, detail=detail, retry=retry)
        values = _unknown() | {"failure_detail": f"{reason} {detail}".strip()}
        return self._change(**values)

    def wait_before_next(self) -> timedelta:
        return timedelta(minutes=_WAITS[min(self.attempts, len(_WAITS)) - 1])

    @classmethod
    def settle_lost(cls) -> int:
        """Those that died between the message and the answer. A lease that runs out just after
        this is queued again by the sweep; it can't be claimed, and is found here the next time.
        """
        ended = models.Q(state=WorkState.RUNNING, lease_expires_at__lt=Now())
        moved = models.Q(state__in=(WorkState.QUEUED, WorkState.FAILED))
        lost = cls._base_manager.filter(ended | moved, handing_over_at__isnull=False)
        return lost.update(**_unknown())


def _unknown() -> dict[str, Any]:
    return {
        "state": DeliveryState.UNKNOWN,
        "finished_at": Now(),
        "failure": "The sending broke off before the mail server answered: it may have arrived.",
        "token": None,
        "lease_expires_at": None,
    }


class MailSettings(models.Model):
    """How a company's e-mails go out."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, related_name="mail_settings")
    from_name = models.CharField(
        max_length=100, blank=True, validators=[one_line], help_text="Empty: the legal name."
    )
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
    subject = models.CharField(max_length=200, validators=[one_line])
    body = models.TextField(max_length=5000, validators=[ProhibitNullCharactersValidator()])
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "kind"], name="mail_template_once_per_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.company_id}"
