"""Lists while somebody types and moves in them, in a real browser."""

import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from accounts.models import Membership
from tests.billing.factories import draft_invoice, new_party
from tests.e2e.office import sign_in

LISTS = [
    "/billing/invoices/",
    "/billing/payments/",
    "/billing/returns/",
    "/billing/challans/",
    "/billing/parties/",
    "/billing/balances/",
    "/documents/",
    "/documents/runs/",
    "/documents/deliveries/",
]


@pytest.fixture
def invoices(page: Page, owner: Membership, live_server) -> Page:
    """The list of three drafts."""
    party = new_party(owner.company, code="Z")
    for price in ("10", "20", "30"):
        draft_invoice(party, price)
    page.goto(LISTS[0])
    sign_in(page)
    expect(page.locator("[data-list] .row-link")).to_have_count(3)
    return page


def test_each_list_follows_what_is_typed(invoices: Page):
    page = invoices
    for address in LISTS:
        page.goto(address)
        page.keyboard.press("/")
        expect(page.locator("[data-search]")).to_be_focused()
        page.keyboard.type("quay")  # and no Enter
        expect(page).to_have_url(re.compile(re.escape(address) + r"\?(.*&)?q=quay\b"))
        expect(page.locator("[data-search]")).to_be_focused()


@pytest.mark.parametrize("where", [".row-link", "[data-tick]"])
def test_the_keyboard_stays_at_its_row_when_the_list_is_exchanged(invoices: Page, where: str):
    page = invoices
    rows = page.locator("[data-list] tbody tr")
    rows.nth(1).locator(where).focus()
    rows.nth(1).evaluate("row => { row.dataset.before = '' }")
    page.evaluate("document.querySelector('form.filters').requestSubmit()")
    expect(page.locator("[data-before]")).to_have_count(0)
    expect(rows.nth(1).locator(where)).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(2).locator(".row-link")).to_be_focused()


def test_another_part_that_is_exchanged_meanwhile_takes_neither_ticks_nor_the_keyboard(
    invoices: Page,
):
    page = invoices
    rows = page.locator("[data-list] tbody tr")
    rows.nth(1).locator("[data-tick]").check()
    rows.nth(1).evaluate("row => { row.dataset.before = '' }")
    page.evaluate("htmx.config.defaultSettleDelay = 1000")  # usually 20 ms
    page.evaluate("document.querySelector('form.filters').requestSubmit()")
    expect(page.locator("[data-before]")).to_have_count(0)
    expect(page.locator("#results.htmx-settling")).to_have_count(1)
    page.evaluate(
        "htmx.ajax('GET', location.href, { target: 'h1', select: 'h1', swap: 'outerHTML' })"
    )
    expect(page.locator("h1.htmx-settling")).to_have_count(1)
    expect(page.locator(".htmx-settling")).to_have_count(0)
    expect(rows.nth(1).locator("[data-tick]")).to_be_focused()
    expect(page.locator("[data-tick]:checked")).to_have_count(1)
    expect(page.locator("[data-bulk-count]")).to_have_text("1 ticked")


@pytest.mark.parametrize("answer", ["dismiss", "accept"])
def test_a_filter_asks_before_it_takes_away_what_is_typed_and_not_saved(
    invoices: Page, answer: str
):
    page = invoices
    asked: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        asked.append(dialog.message)
        getattr(dialog, answer)()

    page.on("dialog", on_dialog)
    page.goto("/billing/balances/")
    opening = page.get_by_role("textbox", name="Opening balance of", exact=False).first
    opening.fill("12.50")
    page.get_by_role("button", name="Filter").click()
    expect(opening).to_have_value("12.50" if answer == "dismiss" else "")
    assert asked == ["What you typed in the list is not saved and would be lost. Go on?"]
