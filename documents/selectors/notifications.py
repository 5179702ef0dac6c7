"""What a user's bell and their page of notifications read: of one company, and only their own."""

from dataclasses import dataclass
from uuid import UUID

from django.db import models

from accounts.models import Company, User
from documents.models import Event, Notification, NotificationChoice

MOST_COUNTED = 100
IN_THE_BELL = 8


@dataclass(frozen=True)
class Unread:
    """How many, up to MOST_COUNTED, and the newest in a line."""

    count: int
    newest: UUID | None = None
    line: str = ""

    @property
    def shown(self) -> str:
        return f"{MOST_COUNTED - 1}+" if self.count >= MOST_COUNTED else str(self.count or "")


def unread_of(user: User, company: Company) -> Unread:
    """One query along an index of what is unread."""
    rows = list(
        notifications_of(user, company)
        .filter(read_at=None)
        .order_by("-created_at", "-id")
        .values_list("pk", "event", "title")[:MOST_COUNTED]
    )
    if not rows:
        return Unread(0)
    pk, event, title = rows[0]
    return Unread(len(rows), pk, f"{Event(event).label.capitalize()}: {title}")


def notifications_of(user: User, company: Company) -> "models.QuerySet[Notification]":
    return Notification.objects.for_company(company).filter(user=user)


def newest_notifications(user: User, company: Company) -> list[Notification]:
    return list(notifications_of(user, company).order_by("-created_at", "-id")[:IN_THE_BELL])


def choice_of(user: User, company: Company) -> NotificationChoice:
    found = NotificationChoice.objects.filter(user=user, company=company).first()
    return found or NotificationChoice(user=user, company=company)
