"""The PDF of a record, at once: the stored one for the facts as they are, or a new version."""

import hashlib
import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from billing.models import Challan, ChallanItem, Party
from billing.services import issue_invoice
from billing.services.papers import paper_of, request_paper
from billing.services.payments import void_payment
from billing.views import (
    generate_challan_pdf,
    generate_invoice_pdf,
    generate_payment_receipt_pdf,
    generate_return_receipt_pdf,
    papers,
)
from billing.views.papers import PaperNotMade
from documents.archive import archive
from documents.fingerprints import fingerprint
from documents.models import Document, DocumentState
from tests.billing.factories import (
    DAY,
    PartyFactory,
    draft_invoice,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)
from tests.documents.papers import files_below
from tests.documents.rendering.samples import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("archive_dir")]


@pytest.fixture
def bare_party(company) -> Party:
    return PartyFactory.create(company=company, email="", address="", country="", tax_id="")


def new_challan(party, **options):
    challan = Challan.objects.create(
        company=party.company,
        party=party,
        challan_number="CH-1",
        challan_date=DAY,
        **options,
    )
    ChallanItem.objects.create(
        challan=challan, position=1, description="Oak serving board", quantity=Decimal(2)
    )
    return challan


def text(response):
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    return text_of(response.content)


def test_an_issued_invoice_is_rendered_stored_and_returned(party):
    invoice = posted_invoice(party, "100")
    response = generate_invoice_pdf(invoice)
    assert invoice.invoice_number in text(response)
    [document] = Document.objects.for_company(party.company)
    assert document.state == DocumentState.READY
    assert document.sha256 == hashlib.sha256(response.content).hexdigest()
    assert archive().read(document.storage_key, document.sha256) == response.content
    assert document.amount == Decimal("100.00")


def test_the_same_facts_give_the_stored_file_without_rendering(party, monkeypatch):
    invoice = posted_invoice(party, "100")
    first = generate_invoice_pdf(invoice).content
    monkeypatch.setattr(papers, "make_document", None)
    assert generate_invoice_pdf(invoice).content == first
    assert Document.objects.for_company(party.company).count() == 1


def test_a_payment_makes_a_new_version_that_supersedes_the_old(party, archive_dir):
    invoice = posted_invoice(party, "100")
    before = text(generate_invoice_pdf(invoice))
    posted_payment(party, "40", invoice=invoice)
    invoice.refresh_from_db()
    after = text(generate_invoice_pdf(invoice))
    assert "Amount due £100.00" in before
    assert "Amount due £60.00" in after
    old, new = Document.objects.for_company(party.company).order_by("version")
    assert (new.version, new.supersedes_id) == (2, old.pk)
    assert len(files_below(archive_dir)) == 2


def test_an_issued_invoice_keeps_the_address_that_it_was_billed_to(party):
    draft = draft_invoice(party, "100")
    issued = issue_invoice(invoice=draft, by=None)
    before = paper_of(issued)
    party.name, party.address = "Moved Ltd", "9 New Road\nElsewhere"
    party.save()
    issued.refresh_from_db()
    assert fingerprint(paper_of(issued)) == fingerprint(before)
    assert paper_of(draft_invoice(party, "1")).snapshot["party"]["name"] == "Moved Ltd"


def test_a_draft_is_printed_as_it_comes_to_now(party):
    said = text(generate_invoice_pdf(draft_invoice(party, "100", "20")))
    assert "Draft invoice" in said
    assert "Total £120.00" in said


def test_a_draft_that_is_issued_is_another_paper(party):
    draft = draft_invoice(party, "100")
    assert fingerprint(paper_of(draft)) != fingerprint(
        paper_of(issue_invoice(invoice=draft, by=None))
    )


def test_a_draft_without_items_is_printed_too(party):
    assert "No items yet" in text(generate_invoice_pdf(draft_invoice(party)))


def test_nothing_optional_is_needed(bare_party):
    invoice = posted_invoice(bare_party, "10")
    assert bare_party.name in text(generate_invoice_pdf(invoice))
    assert "General Payment" in text(generate_payment_receipt_pdf(posted_payment(bare_party, "5")))
    assert "Broken" in text(generate_return_receipt_pdf(posted_return(bare_party, "5")))
    assert "CH-1" in text(generate_challan_pdf(new_challan(bare_party)))


def test_a_payment_of_an_invoice_names_it(party):
    invoice = posted_invoice(party, "100")
    said = text(generate_payment_receipt_pdf(posted_payment(party, "30", invoice=invoice)))
    assert invoice.invoice_number in said
    assert "General Payment" not in said


def test_a_voided_payment_has_its_paper(party):
    payment = posted_payment(party, "30")
    voided = void_payment(payment=payment, reason="Bounced", by=None)
    assert "Void: Bounced" in text(generate_payment_receipt_pdf(voided or payment))


def test_a_return_of_an_invoice_says_which_and_what_it_settles(party):
    invoice = posted_invoice(party, "100")
    said = text(generate_return_receipt_pdf(returned_item(invoice)))
    assert f"to invoice {invoice.invoice_number} 100.00" in said


def test_a_challan_is_printed_without_prices(party):
    ChallanItem.objects.filter(challan=new_challan(party)).update(unit_price=Decimal("77.77"))
    said = text(generate_challan_pdf(Challan.objects.get()))
    assert "77.77" not in said


def test_reading_whether_a_paper_exists_writes_nothing(party, archive_dir):
    party.company.logo.save("logo.png", _logo(), save=True)
    invoice = posted_invoice(party, "10")
    seen, kept = paper_of(invoice, keep=False), paper_of(invoice)
    assert fingerprint(seen) == fingerprint(kept)
    assert len(files_below(archive_dir)) == 1  # the second has put the logo there


def test_what_cannot_be_printed_is_refused_with_its_reason(party):
    party.name = "Nobody \U0010ffff"
    party.save()
    with pytest.raises(PaperNotMade, match=r"recipient|name|printed"):
        generate_invoice_pdf(posted_invoice(party, "10"))


def test_a_failed_paper_is_tried_again_when_somebody_asks(party):
    invoice = posted_invoice(party, "10")
    document = request_paper(record=invoice, by=None)
    Document.objects.for_company(party.company).update(
        state=DocumentState.FAILED, attempts=3, failure="The archive was full."
    )
    generate_invoice_pdf(invoice)
    document.refresh_from_db()
    assert (document.state, document.attempts) == (DocumentState.READY, 1)


def test_who_finds_another_worker_at_it_waits_but_not_for_ever(party, monkeypatch):
    invoice = posted_invoice(party, "10")
    document = request_paper(record=invoice, by=None)
    assert Document.claim(document.pk)
    monkeypatch.setattr(papers, "_PATIENCE_SECONDS", 0.3)
    with pytest.raises(PaperNotMade, match="Another worker"):
        generate_invoice_pdf(invoice)


def test_who_waits_gets_what_the_other_worker_made(party, monkeypatch):
    invoice = posted_invoice(party, "10")
    document = request_paper(record=invoice, by=None)
    claimed = Document.claim(document.pk)
    monkeypatch.setattr(papers.time, "sleep", lambda _: papers.make_document(claimed))
    assert invoice.invoice_number in text(generate_invoice_pdf(invoice))


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_paper(company, settings):
    invoice = posted_invoice(PartyFactory.create(company=company), "10")
    answers, errors = [], []

    def ask():
        try:
            answers.append(generate_invoice_pdf(invoice).content)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not errors
    assert len(answers) == 3
    assert len(set(answers)) == 1
    assert Document.objects.for_company(company).count() == 1


def test_the_lease_of_a_made_paper_is_given_back(party):
    generate_invoice_pdf(posted_invoice(party, "10"))
    [document] = Document.objects.for_company(party.company)
    assert document.token is None
    assert document.finished_at - timezone.now() < timedelta(seconds=5)


def _logo():
    from django.core.files.base import ContentFile

    from tests.documents.rendering.samples import png

    return ContentFile(png())
