"""A clerk enters an invoice by keyboard alone, and loses nothing when signed out meanwhile."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from accounts.models import Membership
from billing.models import Invoice
from tests.billing.factories import new_party
from tests.e2e.office import sign_in, type_line, type_party

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ALL_PARTIES_COME_LAST = """
const ask = window.fetch;
window.fetch = async (url, how) => {
  await new Promise((go) => setTimeout(go, String(url).endsWith("?q=") ? 900 : 300));
  return ask(url, how);
};
"""


@pytest.fixture
def at_the_form(page: Page, owner: Membership, live_server) -> Page:
    owner.company.tax_rates = ["20"]
    owner.company.save()
    new_party(owner.company, code="QP", name="Quayside Provisions", payment_terms_days=14)
    new_party(owner.company, code="MILL", name="Old Mill Tea Rooms")
    page.goto("/billing/invoices/")
    sign_in(page)
    expect(page.get_by_role("heading", name="Invoices", exact=True)).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New invoice")).to_be_visible()
    return page


def descriptions(page: Page) -> list[str]:
    rows = page.locator("[data-row]:not([hidden]) textarea[name$=description]")
    return [row.input_value() for row in rows.all()]


def test_an_invoice_is_entered_and_issued_by_keyboard_alone(at_the_form: Page, complaints):
    page = at_the_form
    type_party(page)
    page.locator("#id_items-0-sku").focus()
    type_line(page, 0, "Oak serving board", "3", "0.335")
    expect(page.locator("#grand-total")).to_have_text("£1.21")
    page.keyboard.press("Control+Enter")
    type_line(page, 3, "Tea towel", "2", "10")
    expect(page.locator("#items-3-net")).to_have_text("£20.00")
    expect(page.locator("#grand-total")).to_have_text("£25.21")
    page.keyboard.press("Alt+ArrowUp")
    assert descriptions(page) == ["Tea towel", "Oak serving board", "", ""]
    expect(page.locator("#id_items-3-unit_price")).to_be_focused()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("A mistake")
    page.keyboard.press("Alt+Delete")
    assert "A mistake" not in descriptions(page)
    page.get_by_role("button", name="Save and issue").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("Invoice INV-"))).to_be_visible()
    expect(page.locator("#history")).to_contain_text("issued")
    made = Invoice.objects.get()
    assert [item.description for item in made.items.all()] == ["Tea towel", "Oak serving board"]
    assert str(made.total) == "25.210"
    assert complaints == []


def test_enter_in_a_field_saves_the_draft_and_issues_nothing(at_the_form: Page):
    page = at_the_form
    type_party(page)
    page.locator("#id_items-0-sku").focus()
    type_line(page, 0, "Oak serving board", "3", "10")
    page.locator("#id_items-0-unit_price").press("Enter")
    expect(page.get_by_role("heading", name="Draft invoice")).to_be_visible()
    assert Invoice.objects.get().invoice_number == ""


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_a_key_before_the_answer_takes_the_first_party_that_is_found(
    at_the_form: Page, owner: Membership, key
):
    page = at_the_form
    for number in range(3):
        new_party(owner.company, code=f"AA{number}", name=f"Abbott {number}")
    page.add_init_script(ALL_PARTIES_COME_LAST)
    page.reload()
    expect(page.locator(".ts-control")).to_be_visible()
    page.get_by_role("combobox", name="Party").focus()
    page.keyboard.type("quay")
    page.keyboard.press(key)
    expect(page.locator(".ts-control .item")).to_contain_text("Quayside Provisions")


def test_what_was_typed_survives_an_expired_session(at_the_form: Page):
    page = at_the_form
    type_party(page)
    page.locator("#id_items-0-sku").focus()
    type_line(page, 0, "Oak serving board", "3", "12.50")
    page.keyboard.press("Control+Enter")
    type_line(page, 3, "Tea towel", "2", "10")
    page.fill("[name=reference]", "PO-9")
    expect(page.locator("#grand-total")).to_have_text("£69.00")
    Session.objects.all().delete()
    page.fill("[name=notes]", "Typed after the session was over")
    expect(page.locator("[data-signed-out]")).to_be_visible()
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    sign_in(page)
    expect(page.locator("[data-kept]")).to_contain_text("What you had typed before is back.")
    expect(page.locator(".ts-control .item")).to_contain_text("Quayside Provisions")
    expect(page.locator("[name=reference]")).to_have_value("PO-9")
    expect(page.locator("[name=notes]")).to_have_value("Typed after the session was over")
    assert [text for text in descriptions(page) if text] == ["Oak serving board", "Tea towel"]
    expect(page.locator("#grand-total")).to_have_text("£69.00")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="Draft invoice")).to_be_visible()
    assert Invoice.objects.get().total == 69
    page.goto("/billing/invoices/create/")
    expect(page.locator("[data-kept]")).to_be_hidden()
    expect(page.locator("[name=reference]")).to_have_value("")


def test_rows_are_ticked_and_opened_by_keyboard(at_the_form: Page, owner: Membership):
    from tests.billing.factories import draft_invoice

    page = at_the_form
    party = new_party(owner.company, code="Z")
    for price in ("10", "20"):
        draft_invoice(party, price)
    page.goto("/billing/invoices/")
    expect(page.locator(".sums-list")).to_contain_text("Rows")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("2 ticked")
    page.get_by_role("button", name="Issue", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Issue: 2 done.")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type(Invoice.objects.order_by("invoice_number").last().invoice_number)
    expect(page.locator("[data-list] .row-link")).to_have_count(1)
    page.locator("body").click()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("Invoice INV-"))).to_be_visible()


def test_the_rows_that_are_shown_work_without_javascript(
    browser, live_server, owner: Membership, django_user_model
):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    party = new_party(owner.company, code="QP", name="Quayside Provisions")
    page.goto(f"/billing/invoices/create/?party={party.pk}")
    sign_in(page)
    page.fill("[name=items-0-description]", "Oak serving board")
    page.fill("[name=items-0-unit_price]", "12.50")
    page.fill("[name=items-1-description]", "Unwanted")
    page.check("[name=items-1-remove]")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="Draft invoice")).to_be_visible()
    assert [item.description for item in Invoice.objects.get().items.all()] == ["Oak serving board"]
    context.close()
