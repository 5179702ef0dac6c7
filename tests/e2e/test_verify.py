"""Is a file what was issued? Asked by a member, and by who holds the paper."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership
from billing.services.papers import request_paper
from documents.models import Document
from documents.tasks import make_document
from tests.billing.factories import new_party, posted_invoice
from tests.e2e.office import assert_fits_a_phone, downloaded, text_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def document(owner: Membership, live_server, settings, queues) -> Document:
    """An invoice's, printed."""
    settings.SITE_URL = live_server.url
    party = new_party(owner.company, name="Quayside Provisions")
    document = request_paper(record=posted_invoice(party, "80"), by=owner.user)
    make_document(str(document.pk))
    document.refresh_from_db()
    return document


def altered(file: Path) -> Path:
    """A copy in which one byte of what is printed is another."""
    content = bytearray(file.read_bytes())
    content[content.index(b"stream\n") + 40] ^= 1
    copy = file.with_name("altered.pdf")
    copy.write_bytes(content)
    return copy


def upload(page: Page, file: Path, button: str) -> None:
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name=button).click()


def test_a_file_is_verified_and_an_altered_copy_is_named(
    signed_in: Page, document: Document, another_browser, complaints, tmp_path: Path
):
    page = signed_in
    page.goto(document.get_absolute_url())
    file = downloaded(page, page.locator("#download"), tmp_path / "invoice.pdf")
    page.goto("/documents/")
    page.get_by_role("link", name="Verify a file").click()
    expect(page).to_have_url(re.compile("/documents/verify/$"))
    assert_fits_a_phone(page)
    upload(page, file, "Verify the file")
    verdict = page.locator("#verdict")
    expect(verdict.get_by_role("heading")).to_have_text("Valid")
    expect(verdict).to_contain_text(document.sha256)
    assert_fits_a_phone(page)

    upload(page, altered(file), "Verify the file")
    expect(verdict.get_by_role("heading")).to_have_text("Altered")
    expect(verdict.get_by_role("link", name=document.title)).to_be_visible()
    expect(verdict).to_contain_text("Quayside Provisions")
    assert_fits_a_phone(page)
    verdict.get_by_role("link", name=document.title).click()
    expect(page).to_have_url(document.get_absolute_url())
    assert complaints == []


def test_who_holds_a_paper_follows_its_code_without_an_account(
    page: Page, signed_in: Page, document: Document, another_browser, complaints, tmp_path: Path
):
    signed_in.goto(document.get_absolute_url())
    file = downloaded(signed_in, signed_in.locator("#download"), tmp_path / "invoice.pdf")
    code = re.search(r"/v/ ?([A-Z2-7]{52})\b", text_of(file))
    assert code is not None
    public = another_browser()
    public.goto(f"/v/{code[1]}")
    expect(public.get_by_role("heading", name="Thornbury Paper Ltd")).to_be_visible()
    expect(public.locator("#content .state-ready")).to_have_text("Valid")
    expect(public.locator("#content")).to_contain_text("£80.00")
    assert_fits_a_phone(public)
    upload(public, file, "Check the file")
    expect(public.locator("#match")).to_contain_text("is the file that was issued")
    upload(public, altered(file), "Check the file")
    expect(public.locator("#match")).to_contain_text("is not the file that was issued")
    assert_fits_a_phone(public)
    assert complaints == []
