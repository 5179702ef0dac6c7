"""What a user is told: in the page's bell, and by e-mail as each of them chose."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import Company
from accounts.scoping import CompanyManager, CompanyOwned
from worker.leasing import LeasedWork, WorkState


class Event(models.TextChoices):
    """What happened. Webhooks have the first four, under the same names."""

    DOCUMENT_READY = "document.ready", "document ready"
    DOCUMENT_FAILED = "document.failed", "document failed"
    RUN_FINISHED = "run.finished", "run finished"
    RUN_FAILED = "run.failed", "run failed"
    ARCHIVE_DAMAGED = "archive.damaged", "archive damaged"
    WEBHOOK_FAILED = "webhook.failed", "webhook failed"
    CHECK_FAILED = "check.failed", "a check found something"


class MailChoice(models.TextChoices):
    NONE = "none", "no e-mail"
    EACH = "each", "an e-mail each"
    DIGEST = "digest", "one e-mail a day"


class Notification(CompanyOwned):
    """`subject_id` is the document's or the run's. Asked for again after a failure: told again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    event = models.CharField(max_length=20, choices=Event.choices)
    subject_id = models.UUIDField()
    # Counts how often the subject became final: the same outcome is told once.
    occurrence = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=200)
    detail = models.CharField(max_length=300, blank=True)
    url = models.CharField(max_length=200, help_text="A path of this site.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True)
    # As the user had chosen when it happened: what is chosen later is about what comes later.
    mail = models.CharField(max_length=10, choices=MailChoice.choices, default=MailChoice.NONE)
    mailed_at = models.DateTimeField(null=True, help_text="Claimed for an e-mail.")

    objects: ClassVar[CompanyManager["Notification"]] = CompanyManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "event", "subject_id", "occurrence"],
                name="notification_once_per_outcome",
            )
        ]
        indexes = [
            models.Index(fields=["user", "company", "-created_at"], name="notification_recent"),
            models.Index(
                fields=["user", "company", "-created_at"],
                condition=models.Q(read_at=None),
                name="notification_unread",
            ),
            models.Index(
                fields=["company", "user", "created_at"],
                condition=models.Q(mailed_at=None, read_at=None, mail=MailChoice.DIGEST),
                name="notification_for_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NotificationChoice(models.Model):
    """How a user wants to be told beside the bell. Without a row the defaults hold."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_choices"
    )
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    documents = models.CharField(max_length=10, choices=MailChoice.choices, default=MailChoice.NONE)
    runs = models.CharField(max_length=10, choices=MailChoice.choices, default=MailChoice.NONE)
    # Only owners get any: files that are lost or changed, webhooks that don't arrive.
    warnings = models.CharField(max_length=10, choices=MailChoice.choices, default=MailChoice.EACH)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "company"], name="notification_choice_once_per_company"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.company_id}"


def mail_attempts() -> int:
    """After 2, 8, 32 ... seconds, then every ten minutes: an hour in all."""
    return 10


class NotificationMail(CompanyOwned, LeasedWork):
    """One e-mail to one user: about one notification, or the digest of a day.

    At most once is right here: everything in it stands in the bell as well. From the moment it is
    handed over it is never sent again by itself, also where nobody knows whether it arrived.
    """

    task_name = "documents.send_notification_mail"

    max_attempts = models.PositiveSmallIntegerField(default=mail_attempts)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_mails"
    )
    notification = models.OneToOneField(
        Notification, null=True, on_delete=models.CASCADE, related_name="mail_of_its_own"
    )
    day = models.DateField(null=True, help_text="Of a digest, in the company's time zone.")
    handing_over_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[CompanyManager["NotificationMail"]] = CompanyManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "company", "day"], name="notification_digest_once_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(notification=None) ^ models.Q(day=None),
                name="notification_mail_is_each_or_digest",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=WorkState.FAILED) | ~models.Q(failure=""),
                name="notification_mail_failed_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "turn", "created_at"],
                condition=models.Q(state=WorkState.QUEUED),
                name="notification_mail_waiting",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=models.Q(state=WorkState.RUNNING),
                name="notification_mail_leased",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(state=WorkState.FAILED),
                name="notification_mail_failed_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.day or self.notification_id}"

    @classmethod
    def settle_lost(cls) -> int:
        """A message that was being handed over when its worker died may have arrived."""
        lost = cls._base_manager.filter(
            state=WorkState.RUNNING, lease_expires_at__lt=Now(), handing_over_at__isnull=False
        )
        return lost.update(
            state=WorkState.FAILED,
            failure="The process that sent it was lost: it may have arrived.",
            finished_at=Now(),
            token=None,
            lease_expires_at=None,
        )

    def hand_over(self) -> bool:
        """Note that the message goes to the server now. False: the lease was lost."""
        return self._change(handing_over_at=Now())

    def take_back(self) -> bool:
        """The server has refused it for certain."""
        return self._change(handing_over_at=None)
