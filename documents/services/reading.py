"""What a user does with what they were told: reads it, and says how to be told."""

from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from accounts.models import Company, User
from documents.models import Notification, NotificationChoice


def mark_read(*, notification: Notification) -> None:
    """The first time counts."""
    Notification.objects.for_company(notification.company_id).filter(
        pk=notification.pk, read_at=None
    ).update(read_at=Now())


def mark_all_read(*, user: User, company: Company, upto: UUID | None = None) -> int:
    """Up to the newest one that the user has seen, if it is given. Returns how many."""
    own = Notification.objects.for_company(company).filter(user=user)
    unread = own.filter(read_at=None)
    if upto is not None:
        seen = own.filter(pk=upto).order_by().values("created_at")[:1]
        unread = unread.filter(created_at__lte=models.Subquery(seen))
    return unread.update(read_at=Now())


def choose(*, user: User, company: Company, **choices: str) -> None:
    """How to be told of documents, runs and warnings from now on.

    What happened before stays as it was chosen then.
    """
    NotificationChoice.objects.update_or_create(user=user, company=company, defaults=choices)
