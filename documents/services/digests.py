"""E-mails about notifications: one each, or one a day with what is still unread.

A notification is claimed (`mailed_at`) in the transaction that notes that its message is handed
over, so none is in two messages and a message that died midway is not sent again: at most once.
A message that the mail server refused for certain is taken back and tried again.
"""

from datetime import datetime, time
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import models, transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Company, Membership, User
from documents.models import MailChoice, Notification, NotificationMail
from worker.clock import database_now
from worker.running import WorkFailed

DIGEST_AT = time(7)
MOST_LISTED = 100
_AWAY = "The mail server could not be reached."
_REFUSED = "The mail server did not take it."
_BROKE = "The line broke while it was sent: it may have arrived."


def send_due_digests(now: datetime | None = None) -> int:
    """Queue today's digests: at seven in each company's time zone, or as soon after as it is asked.

    However often and by however many it is asked, a user gets one a day. Returns how many are new.
    """
    moment = now or database_now()
    return sum(_queue_digests(company, moment) for company in _with_digests())


def _with_digests() -> "models.QuerySet[Company]":
    waiting = _waiting().filter(company=models.OuterRef("pk"))
    return Company.objects.filter(models.Exists(waiting)).only("time_zone")


def _waiting() -> "models.QuerySet[Notification]":
    """For a digest: neither mailed nor read in the bell meanwhile."""
    return Notification.objects.across_companies().filter(
        mail=MailChoice.DIGEST, mailed_at=None, read_at=None
    )


def _queue_digests(company: Company, now: datetime) -> int:
    zone = ZoneInfo(company.time_zone)
    day = now.astimezone(zone).date()
    due_at = datetime.combine(day, DIGEST_AT, zone)
    if now < due_at:
        return 0
    had_one = NotificationMail.objects.for_company(company).filter(
        user=models.OuterRef("user"), day=day
    )
    users = (
        _waiting()
        .filter(~models.Exists(had_one), company=company, created_at__lt=due_at)
        .order_by()
        .values_list("user_id", flat=True)
        .distinct()
    )
    mails = [
        NotificationMail(company=company, user_id=user, day=day, queue="mail") for user in users
    ]
    NotificationMail.objects.bulk_create(mails, ignore_conflicts=True)
    return len(mails)


def send_notification_mail(work: NotificationMail) -> None:
    """The work of one lease. A server that is away is asked again before anything is claimed."""
    user = _recipient(work)
    connection = mail.get_connection()
    try:
        connection.open()
    except (OSError, SMTPException) as error:
        work.fail(reason=_AWAY, detail=str(error), retry=True)
        return
    try:
        _send(work, user, connection)
    finally:
        connection.close()


def _recipient(work: NotificationMail) -> User:
    members = Membership.objects.filter(company=work.company_id, user__is_active=True)
    found = members.select_related("user").filter(user=work.user_id).first()
    if found is None:
        raise WorkFailed("They are no member of the company any more.")
    return found.user


def _send(work: NotificationMail, user: User, connection: BaseEmailBackend) -> None:
    claimed = _claim(work, user, connection)
    if claimed:
        message, rows = claimed
        try:
            message.send()
        except (SMTPResponseException, SMTPRecipientsRefused) as error:
            _take_back(work, rows, str(error))
            return
        except (OSError, SMTPException) as error:
            raise WorkFailed(_BROKE, detail=repr(error)) from error
    work.finish()


def _claim(
    work: NotificationMail, user: User, connection: BaseEmailBackend
) -> tuple[EmailMessage, list[Notification]] | None:
    """The message and what it is about, which counts as sent from here on. None: nothing is to be
    sent. The message is written first: where that fails, nothing counts as sent.
    """
    unsent = Notification.objects.across_companies().filter(mailed_at=None, read_at=None)
    digest = models.Q(user=work.user_id, company=work.company_id, mail=MailChoice.DIGEST)
    mine = models.Q(pk=work.notification_id) if work.notification_id else digest
    with transaction.atomic():
        rows = list(unsent.filter(mine).order_by("-created_at", "-id").select_for_update())
        if not rows:
            return None
        message = _message(work, user, rows, connection)
        message.message()  # what no header can hold is found here, too
        if not work.hand_over():
            return None
        _same(rows).update(mailed_at=Now())
    return message, rows


def _take_back(work: NotificationMail, rows: list[Notification], answer: str) -> None:
    """The server said no, so the message is with nobody."""
    with transaction.atomic():
        if work.take_back():
            _same(rows).update(mailed_at=None)
        work.fail(reason=_REFUSED, detail=answer, retry=True)


def _same(rows: list[Notification]) -> "models.QuerySet[Notification]":
    return Notification.objects.across_companies().filter(pk__in=[row.pk for row in rows])


def _message(
    work: NotificationMail, user: User, rows: list[Notification], connection: BaseEmailBackend
) -> EmailMessage:
    template = "notification" if work.notification_id else "digest"
    context = {
        "user": user,
        "company": work.company,
        "rows": rows[:MOST_LISTED],
        "more": len(rows) - MOST_LISTED,
        "site": settings.SITE_URL,
        "all": reverse("documents:notifications"),
        "choices": reverse("documents:notification_choices"),
    }
    return EmailMessage(
        subject=_subject(work, rows),
        body=render_to_string(f"emails/{template}.txt", context),
        to=[user.email],
        headers={
            "Message-ID": f"<{work.pk}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )


def _subject(work: NotificationMail, rows: list[Notification]) -> str:
    """On one line, whatever is in a title: a line's end would begin another header."""
    first = rows[0]
    one = f"{first.get_event_display().capitalize()}: {first.title}"
    subject = one if work.notification_id else f"{len(rows)} new for you at {work.company}"
    return " ".join(subject.split())
