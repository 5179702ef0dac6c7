"""What a user is told: in the page's bell, and by e-mail as each of them chose."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import Company
from accounts.scoping import CompanyManager, CompanyOwned


class Event(models.TextChoices):
    """What happened. The names are those of the webhook events as well."""

    DOCUMENT_READY = "document.ready", "document ready"
    DOCUMENT_FAILED = "document.failed", "document failed"
    RUN_FINISHED = "run.finished", "run finished"
    RUN_FAILED = "run.failed", "run failed"


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
                fields=["user", "company"],
                condition=models.Q(read_at=None),
                name="notification_unread",
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(mailed_at=None),
                name="notification_unmailed",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class MailChoice(models.TextChoices):
    NONE = "none", "no e-mail"
    EACH = "each", "an e-mail each"
    DIGEST = "digest", "one e-mail a day"


class NotificationChoice(models.Model):
    """How a user wants to be told beside the bell; without a row: no e-mail."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_choices"
    )
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    documents = models.CharField(max_length=10, choices=MailChoice.choices, default=MailChoice.NONE)
    runs = models.CharField(max_length=10, choices=MailChoice.choices, default=MailChoice.NONE)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "company"], name="notification_choice_once_per_company"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.company_id}"
