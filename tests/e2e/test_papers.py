"""From what a clerk types to the paper that comes out, by a real worker."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership
from billing.models import Invoice
from documents.models import Document, DocumentState
from tests.billing.factories import new_party, posted_payment
from tests.e2e.office import (
    assert_fits_a_phone,
    downloaded,
    press,
    text_of,
    type_line,
    type_party,
)
from tests.processes import Running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True),
]


def open_bell(page: Page) -> None:
    press(page.locator(".bell summary"))
    expect(page.locator("#bell-list .notices")).to_be_visible()


def test_an_invoice_is_entered_issued_printed_announced_and_read(
    at_work: Running, owner: Membership, signed_in: Page, complaints, tmp_path: Path
):
    page = signed_in
    new_party(owner.company, code="QP", name="Quayside Provisions")
    page.goto("/billing/invoices/")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New invoice")).to_be_visible()
    type_party(page)
    page.locator("#id_items-0-sku").focus()
    type_line(page, 0, "Oak serving board", "3", "411.50")
    expect(page.locator("#grand-total")).to_have_text("£1,234.50")
    assert_fits_a_phone(page)
    press(page.get_by_role("button", name="Save and issue"))
    expect(page.get_by_role("heading", name=re.compile("Invoice INV-"))).to_be_visible()
    expect(page.locator("#bell-badge")).to_have_class(re.compile("bell-none"))

    press(page.get_by_role("button", name="Make the PDF"))
    expect(page.locator("#paper .state-ready")).to_be_visible()
    expect(page.locator("#paper-download")).to_be_visible()
    assert_fits_a_phone(page)

    expect(page.locator("#bell-badge")).to_have_text(re.compile(r"^1\b"))
    number = Invoice.objects.get().invoice_number
    expect(page.locator("#bell-news")).to_contain_text(number)
    open_bell(page)
    assert_fits_a_phone(page)
    press(page.locator("#bell-list button.notice", has_text=number))
    made = Document.objects.get()
    expect(page).to_have_url(made.get_absolute_url())
    expect(page.locator("#bell-badge[data-newest]")).to_have_class(re.compile("bell-none"))
    assert_fits_a_phone(page)

    paper = downloaded(page, page.locator("#download"), tmp_path / "invoice.pdf")
    text = text_of(paper)
    assert number in text
    assert "Quayside Provisions" in text
    assert "Total 1,234.50" in text
    assert "Amount due £1,234.50" in text
    assert complaints == []


def test_a_name_that_no_font_can_print_is_told_corrected_and_printed(
    at_work: Running, owner: Membership, signed_in: Page, complaints, tmp_path: Path
):
    page = signed_in
    party = new_party(owner.company, code="NA", name="Nazar 🧿 Amulets")
    payment = posted_payment(party, "75.00")
    page.goto(payment.get_absolute_url())
    page.get_by_role("button", name="Make the PDF").click()
    expect(page.locator("#paper .state-failed")).to_be_visible()
    expect(page.locator("#paper")).to_contain_text("“🧿” U+1F9FF (NAZAR AMULET)")
    expect(page.locator("#paper")).to_contain_text("no installed font can print")
    expect(page.locator("#bell-badge")).to_have_text(re.compile(r"^1\b"))
    open_bell(page)
    expect(page.locator("#bell-list")).to_contain_text("no installed font can print")
    page.keyboard.press("Escape")
    assert_fits_a_phone(page)

    page.get_by_role("link", name="Nazar 🧿 Amulets").click()
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Nazar Amulets")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Nazar Amulets")).to_be_visible()
    assert_fits_a_phone(page)

    page.goto(payment.get_absolute_url())
    page.get_by_role("button", name="Make the PDF").click()
    expect(page.locator("#paper .state-ready")).to_be_visible()
    paper = downloaded(page, page.locator("#paper-download"), tmp_path / "receipt.pdf")
    assert "Nazar Amulets" in text_of(paper)
    states = Document.objects.order_by("version").values_list("version", "state")
    assert list(states) == [(1, DocumentState.FAILED), (2, DocumentState.READY)]
    assert complaints == []
