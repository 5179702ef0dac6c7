"""A payment entered by keyboard alone: what it pays, spread, corrected, and kept while away."""

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import Membership
from billing.models import Invoice, Payment
from tests.billing.factories import new_party, posted_invoice
from tests.e2e.office import sign_in, type_party

_SEND_AND_HEAR_NOTHING = """async () => {
    const form = document.querySelector("[data-entry]");
    const body = new URLSearchParams(new FormData(form));
    form.addEventListener("submit", (event) => event.preventDefault(), { once: true });
    form.requestSubmit(form.querySelector("[name=save]"));
    await fetch("", { method: "POST", body, redirect: "manual" });
}"""


@pytest.fixture
def at_the_form(page: Page, owner: Membership, live_server) -> Page:
    party = new_party(owner.company, code="QP", name="Quayside Provisions")
    for price in ("30", "50"):
        posted_invoice(party, price)
    page.goto("/billing/payments/create/")
    sign_in(page)
    expect(page.get_by_role("heading", name="New payment")).to_be_visible()
    return page


def shares_of_the_party(page: Page) -> Locator:
    """Where it is typed what each of its two open invoices gets, once they are there."""
    type_party(page)
    shares = page.get_by_role("textbox", name="How much pays")
    expect(shares).to_have_count(2)
    return shares


def test_a_payment_is_spread_and_recorded_by_keyboard(at_the_form: Page, complaints):
    page = at_the_form
    shares = shares_of_the_party(page)
    page.keyboard.press("Tab")
    expect(page.locator("#id_amount")).to_be_focused()
    page.keyboard.type("45")
    page.keyboard.press("Alt+o")
    expect(shares.nth(0)).to_have_value("30.00")
    expect(shares.nth(1)).to_have_value("15.00")
    expect(page.locator("#share-sum")).to_contain_text("nothing stays on account")
    shares.nth(1).fill("5")
    shares.nth(1).press("Tab")
    expect(page.locator("#share-sum")).to_contain_text("£10.00 stays on account")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", name="PAY-")).to_be_visible()
    assert Payment.objects.get().amount == 45
    assert [invoice.paid for invoice in Invoice.objects.order_by("total")] == [30, 5]
    assert complaints == []


def test_what_was_typed_is_there_again_after_a_look_elsewhere(at_the_form: Page):
    page = at_the_form
    shares = shares_of_the_party(page)
    page.locator("#id_amount").fill("45")
    shares.nth(1).fill("7.50")
    page.goto("/billing/invoices/")  # at once
    page.go_back()
    expect(page.locator("#id_amount")).to_have_value("45")
    expect(page.locator(".ts-control .item")).to_contain_text("Quayside Provisions")
    expect(shares.nth(1)).to_have_value("7.50")
    expect(page.locator("#share-sum")).to_contain_text("£37.50 stays on account")


def test_what_was_refused_is_there_again_after_a_look_elsewhere(at_the_form: Page):
    page = at_the_form
    shares = shares_of_the_party(page)
    page.locator("#id_amount").fill("45")
    shares.nth(1).fill("7.50")
    page.locator("#id_payment_date").fill("2099-01-01")
    page.keyboard.press("Control+s")
    expect(page.locator("#id_payment_date-errors")).to_be_visible()
    expect(page.locator("[data-errors]")).to_be_focused()
    page.locator("#id_payment_date").evaluate("field => { field.value = '2098-01-01' }")
    page.keyboard.press("Control+s")
    expect(page.locator("#id_payment_date")).to_have_value("2098-01-01")
    expect(page.locator("[data-errors]")).to_be_focused()
    page.goto("/billing/invoices/")
    page.goto("/billing/payments/create/")
    expect(page.locator("#id_amount")).to_have_value("45")
    expect(page.locator("#id_payment_date")).to_have_value("2098-01-01")
    expect(shares.nth(1)).to_have_value("7.50")


def test_enter_records_what_was_typed_and_spreads_nothing(at_the_form: Page):
    page = at_the_form
    shares = shares_of_the_party(page)
    page.locator("#id_amount").fill("50")
    shares.nth(1).fill("50")
    shares.nth(1).press("Enter")
    expect(page.get_by_role("heading", name="PAY-")).to_be_visible()
    assert [invoice.paid for invoice in Invoice.objects.order_by("total")] == [0, 50]


def test_what_was_cancelled_is_not_there_again(at_the_form: Page):
    page = at_the_form
    page.locator("#id_amount").fill("45")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Payments", exact=True)).to_be_visible()
    page.goto("/billing/payments/create/")
    expect(page.locator("#id_amount")).to_be_visible()
    expect(page.locator("#id_amount")).to_have_value("")
    expect(page.locator("[data-kept]")).to_be_hidden()


@pytest.mark.parametrize("key", ["Tab", "click"])
def test_who_goes_on_before_the_answer_comes_finds_an_empty_form(at_the_form: Page, key: str):
    page = at_the_form
    type_party(page)
    page.locator("#id_amount").press_sequentially("57")
    page.keyboard.press("Control+s")
    if key == "click":
        page.mouse.click(5, 300)
    else:
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="PAY-")).to_be_visible()
    page.goto("/billing/payments/create/")
    page.wait_for_load_state()
    expect(page.locator("#id_amount")).to_have_value("")
    expect(page.locator("[data-kept]")).to_be_hidden()


def test_an_answer_that_was_lost_is_no_reason_for_a_second_payment(at_the_form: Page):
    page = at_the_form
    type_party(page)
    page.locator("#id_amount").fill("45")
    page.evaluate(_SEND_AND_HEAR_NOTHING)
    assert Payment.objects.count() == 1
    page.goto("/billing/payments/create/")
    expect(page.locator("#id_amount")).to_have_value("45")
    page.get_by_role("button", name="Record payment").click()
    expect(page.get_by_text("The form was sent twice: it counts once")).to_be_visible()
    assert Payment.objects.count() == 1

    page.goto("/billing/payments/create/")
    expect(page.locator("#id_amount")).to_have_value("")
    type_party(page)
    page.locator("#id_amount").fill("45")
    page.get_by_role("button", name="Record payment").click()
    expect(page.get_by_text("is recorded.")).to_be_visible()
    assert Payment.objects.count() == 2
