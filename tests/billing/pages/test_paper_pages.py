"""A record's paper on its page: asked for by a button, followed, read, and previewed."""

from uuid import uuid4

import pytest
from django.urls import reverse

from documents.models import Document, DocumentState
from documents.services.making import make_document
from tests.billing.factories import draft_invoice, posted_invoice, posted_payment, posted_return
from tests.documents.rendering.samples import png
from worker.running import work_on

HTMX = {"HX-Request": "true"}


@pytest.fixture
def invoice(party):
    return posted_invoice(party, "100")


def paper_url(record, kind="invoice", name="paper"):
    return reverse(f"billing:{name}", args=[kind, record.pk])


def made(document):
    assert work_on(Document, document.pk, make_document) == "done"


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_looking_asks_for_nothing(viewer, invoice):
    assert "Make the PDF" in text(viewer.get(paper_url(invoice)))
    assert not Document.objects.exists()


def test_the_button_asks_for_it_and_the_part_follows_until_it_is_there(viewer, invoice):
    said = text(viewer.post(paper_url(invoice), headers=HTMX))
    assert "It is on its way" in said
    assert "hx-get" in said.partition('id="ticker"')[2]
    document = Document.objects.get()
    made(document)
    said = text(viewer.get(paper_url(invoice)))
    assert reverse("documents:download", args=[document.pk]) in said
    assert "hx-get" not in said.partition('id="ticker"')[2]


def test_pressed_twice_it_is_one_paper(viewer, invoice):
    for _ in range(2):
        viewer.post(paper_url(invoice), headers=HTMX)
    assert Document.objects.count() == 1


def test_without_javascript_the_button_leads_to_the_document(viewer, invoice):
    answer = viewer.post(paper_url(invoice))
    assert answer["Location"] == Document.objects.get().get_absolute_url()


def test_once_the_facts_change_the_paper_is_out_of_date(viewer, invoice, party):
    viewer.post(paper_url(invoice))
    made(Document.objects.get())
    posted_payment(party, "40", invoice=invoice)
    said = text(viewer.get(paper_url(invoice)))
    assert "out of date" in said
    assert "Make it again" in said


def test_what_failed_says_why_and_can_be_tried_again(viewer, invoice):
    viewer.post(paper_url(invoice))
    Document.objects.update(state=DocumentState.FAILED, failure="The disk was full.")
    said = text(viewer.get(paper_url(invoice)))
    assert "The disk was full." in said
    assert "Try again" in said
    viewer.post(paper_url(invoice))
    assert Document.objects.get().state == DocumentState.QUEUED


@pytest.mark.parametrize(
    ("kind", "make"), [("payment-receipt", posted_payment), ("return-receipt", posted_return)]
)
def test_receipts_have_theirs(viewer, party, kind, make):
    record = make(party, "5")
    viewer.post(paper_url(record, kind))
    assert Document.objects.get().kind == kind
    assert record.party.name in text(viewer.get(paper_url(record, kind, "paper_preview")))


def test_the_preview_is_the_paper_with_a_closed_policy_of_its_own(viewer, invoice, archive_files):
    answer = viewer.get(paper_url(invoice, name="paper_preview"))
    said = text(answer)
    assert invoice.invoice_number in said
    assert "Quayside Provisions" in said
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" not in said
    assert not archive_files()


def test_the_preview_shows_the_logo_and_writes_nothing(viewer, company, invoice, archive_files):
    from django.core.files.base import ContentFile

    company.logo.save("logo.png", ContentFile(png()), save=True)
    assert "data:image/png;base64,iVBOR" in text(
        viewer.get(paper_url(invoice, name="paper_preview"))
    )
    assert not archive_files()


def test_users_text_is_text_in_the_preview(viewer, party):
    party.name = "<script>alert(1)</script>"
    party.save()
    draft = draft_invoice(party, "100")
    said = text(viewer.get(paper_url(draft, name="paper_preview")))
    assert "&lt;script&gt;alert(1)" in said
    assert "<script" not in said


@pytest.mark.parametrize("name", ["paper", "paper_preview"])
def test_a_stranger_finds_nothing(stranger, invoice, name):
    assert stranger.get(paper_url(invoice, name=name)).status_code == 404
    assert stranger.post(paper_url(invoice)).status_code == 404


def test_unknown_kinds_and_ids_are_not_found(viewer, invoice):
    assert viewer.get(paper_url(invoice, "statement")).status_code == 404
    assert viewer.get(paper_url(invoice, "challan")).status_code == 404
    assert viewer.get(reverse("billing:paper", args=["invoice", uuid4()])).status_code == 404


@pytest.mark.parametrize("name", ["paper", "paper_preview"])
def test_anonymous_signs_in(anonymous, invoice, name):
    answer = anonymous.get(paper_url(invoice, name=name))
    assert answer.status_code == 302 or answer["HX-Refresh"] == "true"
    assert not Document.objects.exists()


@pytest.fixture
def archive_files(settings):
    from tests.documents.papers import files_below

    return lambda: files_below(settings.ARCHIVE_DIR) if settings.ARCHIVE_DIR.exists() else []
