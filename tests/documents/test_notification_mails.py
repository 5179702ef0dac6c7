"""E-mails about notifications: one each or one a day, and nobody is told twice."""

from datetime import UTC, date, datetime, timedelta
from smtplib import SMTPDataError, SMTPServerDisconnected
from threading import Barrier, Thread

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone

from accounts.models import Membership, Role
from documents.models import (
    MailChoice,
    Notification,
    NotificationChoice,
    NotificationMail,
)
from documents.services import digests
from documents.services.digests import send_due_digests, send_notification_mail
from documents.services.outcomes import announce_finished
from tests.factories import CompanyFactory, DocumentFactory, member
from tests.factories_of_telling import DocumentRequestFactory, NotificationFactory
from worker.dispatching import sweep_leases
from worker.leasing import WorkState
from worker.running import work_on

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)


@pytest.fixture
def company():
    return CompanyFactory.create(legal_name="Thornbury Paper Ltd", time_zone="Europe/London")


@pytest.fixture
def clerk(company):
    return member(Role.CLERK, company=company).user


def pending(clerk, company, **fields):
    fields = {"mail": MailChoice.DIGEST, "created_at": NIGHT, **fields}
    return NotificationFactory.create(user=clerk, company=company, **fields)


def work_off():
    """What a worker of queue `mail` does with what is due."""
    for work in NotificationMail.objects.filter(state=WorkState.QUEUED):
        work_on(NotificationMail, work.pk, send_notification_mail)


class Away(EmailBackend):
    def open(self):
        raise ConnectionRefusedError


class Refusing(EmailBackend):
    def send_messages(self, messages):
        raise SMTPDataError(451, b"try later")


class RefusingLate(EmailBackend):
    """It refuses, but so late that the lease was lost, which nobody can tell from a loss."""

    def send_messages(self, messages):
        lost(NotificationMail.objects.get())
        sweep_leases(NotificationMail)
        raise SMTPDataError(451, b"try later")


class Breaking(EmailBackend):
    """It takes the message and dies before it answers."""

    def send_messages(self, messages):
        super().send_messages(messages)
        raise SMTPServerDisconnected


def use(settings, backend):
    settings.EMAIL_BACKEND = f"{backend.__module__}.{backend.__qualname__}"


def test_one_each_says_what_happened_and_where(company, clerk, settings):
    NotificationChoice.objects.create(user=clerk, company=company, documents=MailChoice.EACH)
    document = DocumentFactory.create(company=company, failed=True, title="Statement A & B")
    DocumentRequestFactory.create(document=document, user=clerk)
    announce_finished()
    work_off()
    work_off()
    [message] = mail.outbox
    assert message.to == [clerk.email]
    assert message.subject == "Document failed: Statement A & B"
    assert "A character of the name can't be printed." in message.body
    assert settings.SITE_URL + document.get_absolute_url() in message.body
    assert "Thornbury Paper Ltd" in message.body


def test_a_title_with_line_ends_makes_no_header(company, clerk):
    row = pending(clerk, company, mail=MailChoice.EACH, title="A\r\nBcc: all@example.org")
    NotificationMail.objects.create(company=company, user=clerk, notification=row)
    work_off()
    [message] = mail.outbox
    assert message.subject == "Document ready: A Bcc: all@example.org"
    assert message.recipients() == [clerk.email]


def test_a_digest_comes_after_seven_with_all_that_is_unread(company, clerk):
    pending(clerk, company, title="First")
    pending(clerk, company, title="Second")
    pending(clerk, company, title="Read", read_at=NIGHT)
    pending(clerk, company, title="Mailed", mailed_at=NIGHT)
    pending(clerk, company, title="Unwanted", mail=MailChoice.NONE)
    assert send_due_digests(datetime(2026, 11, 22, 6, 59, tzinfo=UTC)) == 0
    assert send_due_digests(MORNING) == 1
    work_off()
    [message] = mail.outbox
    assert message.subject == "2 new for you at Thornbury Paper Ltd"
    assert "First" in message.body
    assert "Second" in message.body
    for left_out in ("Read (", "Mailed", "Unwanted"):
        assert left_out not in message.body


def test_however_often_it_is_asked_there_is_one_a_day(company, clerk):
    pending(clerk, company)
    for minutes in range(0, 600, 5):
        send_due_digests(MORNING + timedelta(minutes=minutes))
        work_off()
        pending(clerk, company, created_at=MORNING + timedelta(minutes=minutes))
    assert len(mail.outbox) == 1
    send_due_digests(MORNING + timedelta(days=1))
    work_off()
    assert len(mail.outbox) == 2
    assert NotificationMail.objects.filter(day=date(2026, 11, 23)).count() == 1


def test_what_happens_after_seven_waits_for_the_next_morning(company, clerk):
    pending(clerk, company, created_at=MORNING + timedelta(hours=2))
    assert send_due_digests(MORNING + timedelta(hours=3)) == 0
    assert send_due_digests(MORNING + timedelta(days=1)) == 1


def test_a_morning_that_was_missed_is_caught_up(company, clerk):
    pending(clerk, company)
    assert send_due_digests(MORNING + timedelta(hours=9)) == 1


def test_seven_is_seven_where_the_company_is(clerk):
    tokyo = CompanyFactory.create(time_zone="Asia/Tokyo")
    pending(member(Role.CLERK, company=tokyo).user, tokyo, created_at=NIGHT - timedelta(days=1))
    assert send_due_digests(datetime(2026, 11, 21, 21, 59, tzinfo=UTC)) == 0
    assert send_due_digests(datetime(2026, 11, 21, 22, 0, tzinfo=UTC)) == 1


def test_who_has_two_companies_gets_a_digest_of_each(company, clerk):
    other = member(Role.CLERK, user=clerk).company
    pending(clerk, company, title="Here")
    pending(clerk, other, title="There")
    send_due_digests(MORNING)
    work_off()
    assert len(mail.outbox) == 2
    assert sum("Here" in message.body for message in mail.outbox) == 1


def test_who_left_before_it_was_sent_gets_none(company, clerk):
    pending(clerk, company)
    send_due_digests(MORNING)
    Membership.objects.all().delete()
    work_off()
    assert mail.outbox == []
    assert NotificationMail.objects.get().state == WorkState.FAILED


def test_what_was_read_meanwhile_is_not_mailed(company, clerk):
    pending(clerk, company)
    send_due_digests(MORNING)
    Notification.objects.update(read_at=timezone.now())
    work_off()
    assert mail.outbox == []
    assert NotificationMail.objects.get().state == WorkState.DONE


def test_a_long_digest_is_cut_and_says_so(company, clerk):
    for _ in range(105):
        pending(clerk, company)
    send_due_digests(MORNING)
    work_off()
    assert "And 5 more" in mail.outbox[0].body
    assert Notification.objects.filter(mailed_at=None).count() == 0


@pytest.mark.parametrize("backend", [Away, Refusing])
def test_a_server_that_does_not_take_it_is_tried_again(company, clerk, settings, backend):
    working = settings.EMAIL_BACKEND
    pending(clerk, company)
    send_due_digests(MORNING)
    use(settings, backend)
    work_off()
    work = NotificationMail.objects.get()
    assert (work.state, work.handing_over_at) == (WorkState.QUEUED, None)
    assert work.failure
    assert Notification.objects.get().mailed_at is None
    settings.EMAIL_BACKEND = working
    NotificationMail.objects.update(next_attempt_at=NIGHT)
    work_off()
    assert len(mail.outbox) == 1
    assert Notification.objects.get().mailed_at is not None


@pytest.mark.parametrize("broken", ["render_to_string", "_subject"])
def test_a_message_that_can_not_be_written_leaves_nothing_marked_as_sent(
    company, clerk, monkeypatch, broken
):
    def fail(*arguments):
        raise RuntimeError("For a test.")

    pending(clerk, company)
    send_due_digests(MORNING)
    with monkeypatch.context() as patched:
        patched.setattr(digests, broken, fail)
        work_off()
    work = NotificationMail.objects.get()
    assert (work.state, work.handing_over_at) == (WorkState.QUEUED, None)
    assert Notification.objects.get().mailed_at is None
    NotificationMail.objects.update(next_attempt_at=NIGHT)
    work_off()
    assert len(mail.outbox) == 1
    assert NotificationMail.objects.get().state == WorkState.DONE


def test_a_header_that_can_not_be_written_leaves_nothing_marked_as_sent(
    company, clerk, monkeypatch
):
    pending(clerk, company)
    send_due_digests(MORNING)
    monkeypatch.setattr(digests, "_subject", lambda *_: "Two\nlines")
    work_off()
    assert NotificationMail.objects.get().state == WorkState.QUEUED
    assert Notification.objects.get().mailed_at is None


def test_a_refusal_after_the_lease_was_lost_changes_nothing(company, clerk, settings):
    pending(clerk, company)
    send_due_digests(MORNING)
    use(settings, RefusingLate)
    work_off()
    work = NotificationMail.objects.get()
    assert (work.state, "may have arrived" in work.failure) == (WorkState.FAILED, True)
    assert Notification.objects.get().mailed_at is not None


def test_a_line_that_breaks_while_it_is_sent_is_not_tried_again(company, clerk, settings):
    pending(clerk, company)
    send_due_digests(MORNING)
    use(settings, Breaking)
    work_off()
    work = NotificationMail.objects.get()
    assert work.state == WorkState.FAILED
    assert "may have arrived" in work.failure
    assert len(mail.outbox) == 1
    assert send_due_digests(MORNING + timedelta(days=1)) == 0


def lost(work, **fields):
    """As a worker leaves it that was killed, its lease run out."""
    gone = {"lease_expires_at": timezone.now() - timedelta(seconds=1)}
    NotificationMail.objects.filter(pk=work.pk).update(**gone, **fields)


def test_a_worker_killed_before_handing_over_leaves_it_to_another(company, clerk):
    pending(clerk, company)
    send_due_digests(MORNING)
    lost(NotificationMail.claim(NotificationMail.objects.get().pk))
    sweep_leases(NotificationMail)
    work_off()
    assert len(mail.outbox) == 1


def test_a_worker_killed_while_handing_over_tells_nobody_twice(company, clerk):
    pending(clerk, company)
    send_due_digests(MORNING)
    lost(
        NotificationMail.claim(NotificationMail.objects.get().pk),
        handing_over_at=timezone.now(),
    )
    sweep_leases(NotificationMail)
    work_off()
    assert mail.outbox == []
    work = NotificationMail.objects.get()
    assert (work.state, work.failure) == (
        WorkState.FAILED,
        "The process that sent it was lost: it may have arrived.",
    )


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_many_that_ask_at_once_queue_one_digest(company, clerk):
    pending(clerk, company)
    barrier = Barrier(6)

    def ask():
        barrier.wait()
        send_due_digests(MORNING)
        connection.close()

    threads = [Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert NotificationMail.objects.count() == 1
