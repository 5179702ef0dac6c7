"""What is looked at before a paper is attached, the header of the message, and the rate limit."""

import io
from datetime import timedelta
from email.utils import getaddresses
from itertools import pairwise
from uuid import uuid4

import pikepdf
import pytest
from django.core import mail
from django.db.models.functions import Now
from django.utils import timezone

from documents.archive import archive
from documents.models import Delivery, Document, MailSettings
from documents.pdf_fingerprint import KEY
from documents.services import slots
from documents.services.deliveries import request_deliveries
from documents.services.mail_settings import change_mail_settings
from documents.services.recipients import IS_A_DRAFT, NO_ADDRESS
from documents.services.requests import insert_documents
from documents.services.sending import send_delivery
from documents.services.slots import take_slot
from tests.documents.mail import delivery_to, keep_book, make, run_of
from tests.documents.papers import statement_paper
from tests.documents.rendering.samples import PARTY, statement
from tests.factories import CompanyFactory
from worker.running import work_on

pytestmark = pytest.mark.django_db
OTHER = "The paper is not this party's: nothing was sent."


@pytest.fixture(autouse=True)
def _here(archive_dir, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def book(monkeypatch):
    return keep_book(monkeypatch)


@pytest.fixture
def delivery(book):
    return delivery_to(book, "ap@harbour.example")


def send(delivery: Delivery) -> Delivery:
    MailSettings.objects.update(next_slot_at=None)
    work_on(Delivery, delivery.pk, send_delivery)
    delivery.refresh_from_db()
    return delivery


def refused(delivery: Delivery) -> str:
    send(delivery)
    assert (delivery.state, delivery.handing_over_at) == ("failed", None)
    assert mail.outbox == []
    return delivery.failure


# --- The right party's paper ---------------------------------------------------------------------


def test_untouched_it_goes_out(delivery):
    assert send(delivery).state == "sent"
    assert len(mail.outbox) == 1


def test_a_row_for_another_recipient_is_refused(delivery, book):
    other = uuid4()
    book[other] = delivery.address
    Delivery.objects.update(recipient_id=other)
    assert refused(delivery) == OTHER


def test_a_document_of_another_recipient_is_refused(delivery, book):
    book[other := uuid4()] = delivery.address
    Document.objects.update(recipient_id=other)
    assert refused(delivery) == OTHER


def test_another_partys_document_is_refused(delivery, book):
    another = delivery_to(book, "b@example.org", delivery.company, name="Somebody Else")
    Delivery.objects.filter(pk=another.pk).delete()
    Delivery.objects.update(document=another.document)
    assert refused(delivery) == OTHER


@pytest.mark.parametrize("party", [{}, {"code": "C-9", "name": "Somebody Else"}])
def test_a_paper_that_prints_another_party_is_refused(delivery, party):
    snapshot = Document.objects.defer(None).get().snapshot
    Document.objects.update(snapshot={**snapshot, "party": party})
    assert refused(delivery) == OTHER


def test_facts_that_were_changed_are_refused(delivery):
    snapshot = Document.objects.defer(None).get().snapshot
    Document.objects.update(snapshot={**snapshot, "closing": "1.00"})
    assert refused(delivery) == OTHER


def test_a_file_that_was_changed_or_lost_is_refused(delivery):
    path = archive().root / delivery.document.storage_key
    path.write_bytes(b"%PDF- another")
    assert refused(delivery) == "Its paper is missing from the archive, or changed."


def named(fingerprint: str) -> bytes:
    """A PDF that says which paper it is, as those that are made do."""
    file = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.docinfo[KEY] = fingerprint
        pdf.save(file)
    return file.getvalue()


@pytest.mark.parametrize("is_swapped", [False, True])
def test_the_file_of_another_paper_is_refused(delivery, is_swapped):
    fingerprint = "f" * 64 if is_swapped else delivery.document.fingerprint
    stored = archive().store(named(fingerprint), folder="documents/x", suffix=".pdf")
    Document.objects.update(storage_key=stored.key, sha256=stored.sha256)
    if is_swapped:
        assert refused(delivery) == OTHER
    else:
        assert send(delivery).state == "sent"


def test_a_paper_that_is_being_made_again_is_not_sent(delivery):
    Document.objects.update(state="queued")
    assert refused(delivery) == "Its paper is not ready."


def test_a_draft_is_nobodys_business_yet(delivery):
    snapshot = Document.objects.defer(None).get().snapshot
    Document.objects.update(snapshot={**snapshot, "state": "draft"})
    assert refused(delivery) == IS_A_DRAFT


@pytest.mark.parametrize(
    ("address", "problem"),
    [("", NO_ADDRESS), ("nobody", "can't be sent to: 'nobody'")],
)
def test_an_address_that_is_none_is_not_written_to(delivery, book, address, problem):
    book[delivery.recipient_id] = address
    Delivery.objects.update(address=address)
    assert problem in refused(delivery)


def test_an_address_that_is_another_by_now_is_not_written_to(delivery, book):
    book[delivery.recipient_id] = "new@harbour.example"
    assert "another one by now" in refused(delivery)


def test_an_invoice_to_a_party_that_was_renamed_since_goes_out(delivery):
    Document.objects.update(recipient_name="Harbour & Daughters")
    assert send(delivery).state == "failed"
    Document.objects.update(
        recipient_code=Document.objects.defer(None).get().snapshot["party"]["code"]
    )
    Delivery.objects.update(state="queued", failure="")
    assert send(delivery).state == "sent"


def newer(document: Document) -> Document:
    paper = statement_paper(
        document.recipient_name,
        subject_id=document.subject_id,
        snapshot=statement(3, party={**PARTY, "name": document.recipient_name}),
    )
    [found] = insert_documents(company=document.company, papers=[paper], by=None, queue="batch")
    return found


def test_a_run_leaves_out_what_a_newer_version_stands_for(book):
    batch, [document] = run_of(book, 1)
    request_deliveries(documents=[make(document)], by=None, batch=batch)
    newer(document)
    row = send(Delivery.objects.get())
    assert (row.state, row.failure) == ("cancelled", "There is a newer version of its paper.")
    assert mail.outbox == []


def test_a_person_may_send_an_old_version(delivery):
    newer(delivery.document)
    assert send(delivery).state == "sent"


# --- The header ----------------------------------------------------------------------------------

HOSTILE = [
    "Ann\r\nBcc: thief@example.org",
    "Ann\nSubject: Hello",
    "Ann\x0b\x0c\x1b[2J",
    "Ann\u2028Bcc: thief@example.org",
    "Ann\u0085Bcc: thief@example.org",
    'Ann" <thief@example.org>, "',
    "Ann, Ben; Carl <thief@example.org>",
    "=?utf-8?q?Ann=0D=0ABcc:_thief@example.org?=",
    "\u202eelpmaxe\u202c",
    "Müller & Söhne 株式会社 \U0001f600",
    "x" * 180,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_adds_a_header_or_a_recipient(book, name):
    company = CompanyFactory.create(legal_name=name)
    delivery = delivery_to(book, "ap@harbour.example", company, name=name)
    MailSettings.objects.create(company=company, from_name=name[:100])
    Document.objects.update(title=name[:200])
    assert send(delivery).state == "sent", delivery.failure
    [message] = mail.outbox
    assert [address for _, address in getaddresses(message.to)] == ["ap@harbour.example"]
    assert [address for _, address in getaddresses([message.from_email])] == ["pressroom@localhost"]
    raw = message.message()
    assert {key.lower() for key in raw} == {
        "content-type",
        "mime-version",
        "subject",
        "from",
        "to",
        "date",
        "message-id",
    }
    assert len(raw.get_all("to")) == 1
    head = raw.as_bytes().split(b"\n\n", 1)[0]
    assert not any(line.lower().startswith((b"bcc", b"cc")) for line in head.splitlines())
    attachment = raw.get_payload()[1]
    assert "/" not in attachment.get_filename()
    assert attachment.get_filename().endswith(".pdf")


def test_it_is_from_the_company_and_answers_go_to_it(book):
    company = CompanyFactory.create(legal_name="Northgate", email="office@northgate.example")
    delivery = delivery_to(book, "ap@harbour.example", company)
    send(delivery)
    assert mail.outbox[0].from_email == "Northgate <pressroom@localhost>"
    assert mail.outbox[0].reply_to == ["office@northgate.example"]
    change_mail_settings(
        company=company,
        by=None,
        from_name="Northgate Billing",
        from_address="billing@northgate.example",
        reply_to="ledger@northgate.example",
    )
    send(delivery_to(book, "ap@harbour.example", company, name="Another"))
    assert mail.outbox[1].from_email == "Northgate Billing <billing@northgate.example>"
    assert mail.outbox[1].reply_to == ["ledger@northgate.example"]


# --- The rate limit ------------------------------------------------------------------------------


def claimed(delivery: Delivery) -> Delivery:
    row = Delivery.claim(delivery.pk)
    assert row is not None
    return row


def test_each_takes_the_next_moment_and_gives_its_row_back_until_then(book):
    company = CompanyFactory.create()
    MailSettings.objects.create(company=company, per_minute=30)
    rows = [delivery_to(book, "a@example.org", company, name=f"P{n}") for n in range(4)]
    assert [take_slot(claimed(row)) for row in rows] == [True, False, False, False]
    waiting = list(Delivery.objects.filter(state="queued").order_by("slot_at"))
    assert [row.attempts for row in waiting] == [0, 0, 0]
    moments = [row.slot_at for row in waiting]
    assert [row.next_attempt_at for row in waiting] == moments
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps == [timedelta(seconds=2)] * 2
    assert MailSettings.objects.get().next_slot_at == moments[-1] + timedelta(seconds=2)


def test_a_moment_that_has_come_is_used_and_not_taken_again(book):
    company = CompanyFactory.create()
    MailSettings.objects.create(company=company, per_minute=1)
    rows = [delivery_to(book, "a@example.org", company, name=f"P{n}") for n in range(2)]
    assert [take_slot(claimed(row)) for row in rows] == [True, False]
    taken = MailSettings.objects.get().next_slot_at
    Delivery.objects.filter(pk=rows[1].pk).update(slot_at=Now(), next_attempt_at=Now())
    assert take_slot(claimed(rows[1]))
    assert MailSettings.objects.get().next_slot_at == taken
    assert Delivery.objects.get(pk=rows[1].pk).slot_at is None


def test_moments_that_passed_unused_are_not_made_up_for_by_a_burst(book):
    company = CompanyFactory.create()
    MailSettings.objects.create(company=company, per_minute=1)
    rows = [delivery_to(book, "a@example.org", company, name=f"P{n}") for n in range(2)]
    Delivery.objects.update(slot_at=Now() - timedelta(minutes=5))
    assert [take_slot(claimed(row)) for row in rows] == [True, False]


def test_what_has_to_wait_is_not_sent(delivery):
    MailSettings.objects.create(company=delivery.company, next_slot_at=Now() + timedelta(hours=1))
    work_on(Delivery, delivery.pk, send_delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, mail.outbox) == ("queued", 0, [])
    assert delivery.next_attempt_at == delivery.slot_at > timezone.now() + timedelta(minutes=59)


@pytest.fixture
def overtaken(monkeypatch):
    """`overtaken(times)`: so often somebody else takes the free moment between look and take."""

    def set_to(times: int) -> None:
        read = slots._next
        left = [times]

        def looked(company):
            found = read(company)
            if left[0]:
                left[0] -= 1
                MailSettings.objects.update(next_slot_at=found[1] + found[2])
            return found

        monkeypatch.setattr(slots, "_next", looked)

    return set_to


def test_of_two_who_see_the_same_moment_the_second_takes_the_next(delivery, overtaken):
    MailSettings.objects.create(company=delivery.company, per_minute=60)
    overtaken(times=2)
    assert not take_slot(claimed(delivery))
    delivery.refresh_from_db()
    assert delivery.slot_at > timezone.now() + timedelta(seconds=1)
    assert MailSettings.objects.get().next_slot_at == delivery.slot_at + timedelta(seconds=1)


def test_who_never_gets_a_moment_waits_without_one(delivery, overtaken):
    MailSettings.objects.create(company=delivery.company, per_minute=60)
    overtaken(times=1000)
    assert not take_slot(claimed(delivery))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.slot_at, delivery.attempts) == ("queued", None, 0)
    assert delivery.next_attempt_at > timezone.now()


def test_companies_do_not_wait_for_each_other(book):
    for _ in range(2):
        company = CompanyFactory.create()
        MailSettings.objects.create(company=company, per_minute=1)
        row = delivery_to(book, "a@example.org", company)
        assert take_slot(claimed(row))


def test_a_run_takes_a_few_moments_ahead_so_that_a_single_paper_goes_soon(book):
    batch, documents = run_of(book, 30)
    MailSettings.objects.create(company=batch.company, per_minute=60)
    request_deliveries(documents=[make(each) for each in documents], by=None, batch=batch)
    for row in Delivery.objects.order_by("turn"):
        again = Delivery.claim(row.pk)
        if again is not None:
            take_slot(again)
    with_moment = Delivery.objects.filter(slot_at__isnull=False).count()
    assert 10 <= with_moment <= 20
    assert Delivery.due().count() == 0
    single = delivery_to(book, "a@example.org", batch.company, name="One")
    assert not take_slot(claimed(single))
    single.refresh_from_db()
    assert single.slot_at - single.created_at < timedelta(seconds=25)
