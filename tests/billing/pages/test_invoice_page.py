"""The page of one invoice, what is done from it, and who may."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.models import Invoice, InvoiceState
from billing.services import apply_credit, invoice_challans, issue_invoice
from tests.billing.factories import (
    draft_invoice,
    new_party,
    posted_invoice,
    posted_payment,
    returned_item,
)
from tests.billing.pages.conftest import business_queries
from tests.billing.pages.typed import invoice as typed
from tests.billing.pages.typed import line
from tests.billing.services.entering import delivered_challan

PAGES = ["detail", "history", "settlements"]
ENTRY = ["edit"]
CLERKS = ["issue", "copy", "delete", "compute_for"]
ACCOUNTANTS = ["void"]


def at(name: str, invoice: Invoice) -> str:
    return reverse(f"billing:invoice_{name}", args=[invoice.pk])


def said(response) -> str:
    return " | ".join(str(message) for message in response.context["messages"])


def test_the_page_shows_the_invoice(viewer, party):
    invoice = posted_invoice(party, "100", "20", reference="PO-9", notes="By van")
    posted_payment(party, "50", invoice=invoice)
    body = viewer.get(at("detail", invoice)).content.decode()
    for text in ("INV-2026-00001", "Quayside Provisions", "PO-9", "By van", "£120.00", "£70.00"):
        assert text in body
    assert "part-paid" in body


def test_tax_is_shown_per_rate(viewer, clerk, party):
    data = typed(party, line(), line(tax_rate="5"), discount_percent="10", issue="1")
    clerk.post("/billing/invoices/create/", data)
    body = viewer.get(at("detail", Invoice.objects.get())).content.decode()
    assert "Tax 5 % of £22.50</dt><dd>£1.13" in body
    assert "Tax 20 % of £22.50</dt><dd>£4.50" in body


def test_payments_and_returns_are_listed(viewer, party):
    invoice = posted_invoice(party, "100", "20")
    posted_payment(party, "30", invoice=invoice)
    credit = posted_payment(party, "15")
    apply_credit(source=credit, invoice=invoice, amount=Decimal(5), by=None)
    returned_item(invoice)
    invoice.refresh_from_db()
    body = viewer.get(at("settlements", invoice)).content.decode()
    for text in ("PAY-2026-00001", "£30.00", "PAY-2026-00002", "£5.00", "RET-2026-00001"):
        assert text in body


def test_issuing_takes_the_number(clerk, party):
    draft = draft_invoice(party, "10")
    response = clerk.post(at("issue", draft), follow=True)
    assert "Invoice INV-2026-00001 is issued." in said(response)
    again = clerk.post(at("issue", draft), follow=True)
    assert "Only a draft can be issued." in said(again)


def test_voiding_needs_a_reason_and_keeps_the_number(accountant, party):
    invoice = posted_invoice(party, "10")
    assert "A reason is needed." in said(accountant.post(at("void", invoice), follow=True))
    long = accountant.post(at("void", invoice), {"reason": "x" * 201}, follow=True)
    assert "at most 200" in said(long)
    accountant.post(at("void", invoice), {"reason": "Twice"})
    invoice.refresh_from_db()
    assert (invoice.state, invoice.invoice_number) == (InvoiceState.VOID, "INV-2026-00001")
    assert "Twice" in accountant.get(at("detail", invoice)).content.decode()


def test_closed_books_are_named_when_voiding(accountant, company, party):
    invoice = posted_invoice(party, "10", day=date(2026, 3, 1))
    company.books_closed_until = date(2026, 3, 31)
    company.save()
    response = accountant.post(at("void", invoice), {"reason": "Twice"}, follow=True)
    assert "The books are closed up to 2026-03-31." in said(response)


def test_what_is_issued_is_what_was_looked_at(clerk, accountant, party):
    draft = draft_invoice(party, "10")
    shown = clerk.get(at("detail", draft)).content.decode()
    version = re.search(r'name="version" value="([^"]+)"', shown)[1]
    accountant.post(at("edit", draft), typed(party, line(unit_price="999")))
    answer = clerk.post(at("issue", draft), {"version": version}, follow=True)
    assert "changed since this page was drawn" in said(answer)
    assert Invoice.objects.get().state == InvoiceState.DRAFT
    version = re.search(r'name="version" value="([^"]+)"', answer.content.decode())[1]
    clerk.post(at("issue", draft), {"version": version})
    issued = Invoice.objects.get()
    assert (issued.state, issued.items.get().unit_price) == (InvoiceState.ISSUED, 999)
    again = clerk.post(at("issue", draft), {"version": version}, follow=True)
    assert "Only a draft can be issued" in said(again)


def test_copy_pressed_twice_makes_one_draft_and_says_so(clerk, party):
    invoice = posted_invoice(party, "100")
    body = clerk.get(at("detail", invoice)).content.decode()
    token = re.search(r'/copy/">.*?name="token" value="([^"]+)"', body)[1]
    first, second = (clerk.post(at("copy", invoice), {"token": token}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert "copied already" in said(clerk.get(second["Location"]))
    draft = Invoice.objects.get(state=InvoiceState.DRAFT)
    assert str(draft.pk) == token
    for no_token in ("", "x", "\0"):
        assert clerk.post(at("copy", invoice), {"token": no_token}).status_code == 302
    assert Invoice.objects.filter(state=InvoiceState.DRAFT).count() == 4


def test_a_copy_says_which_challans_it_does_not_bill(clerk, party):
    challan = delivered_challan(party)
    bill = issue_invoice(invoice=invoice_challans(challans=[challan], by=None), by=None)
    response = clerk.post(at("copy", bill), follow=True)
    assert f"none of the challans of the other one: {challan}." in said(response)


def test_a_copy_is_a_new_draft_to_be_changed(clerk, party):
    invoice = posted_invoice(party, "10", reference="PO-1")
    response = clerk.post(at("copy", invoice))
    copied = Invoice.objects.get(state=InvoiceState.DRAFT)
    assert response["Location"] == at("edit", copied)
    assert (copied.reference, copied.items.count()) == ("PO-1", 1)


def test_a_draft_is_deleted_and_an_issued_invoice_is_not(clerk, party):
    draft, issued = draft_invoice(party, "10"), posted_invoice(party, "10")
    clerk.post(at("delete", draft))
    assert clerk.get(at("detail", draft)).status_code == 404
    assert "Only a draft can be deleted." in said(clerk.post(at("delete", issued), follow=True))
    assert Invoice.objects.get() == issued


def test_the_history_says_who_changed_what(accountant, party):
    accountant.post("/billing/invoices/create/", typed(party, reference="PO-1"))
    draft = Invoice.objects.get()
    accountant.post(at("edit", draft), typed(party, line(unit_price="99"), reference="PO-2"))
    accountant.post(at("issue", draft))
    body = accountant.get(at("history", draft)).content.decode()
    assert "<strong>Person " in body
    assert "<del>PO-1</del>" in body
    assert "<ins>PO-2</ins>" in body
    assert "<del>draft</del>" in body
    assert "<ins>issued</ins>" in body
    assert "99.0000" in body
    assert "billing." not in body


def test_the_history_names_parties(accountant, company, party):
    accountant.post("/billing/invoices/create/", typed(party))
    draft = Invoice.objects.get()
    other = new_party(company, code="P2", name="Larkfield")
    accountant.post(at("edit", draft), typed(other))
    body = accountant.get(at("history", draft)).content.decode()
    assert "<del>Quayside Provisions (P1)</del>" in body
    assert "<ins>Larkfield (P2)</ins>" in body


@pytest.mark.parametrize("name", [*PAGES, *ENTRY])
def test_a_stranger_finds_no_page(stranger, party, name):
    assert stranger.get(at(name, draft_invoice(party, "10"))).status_code == 404


@pytest.mark.parametrize("name", [*ENTRY, *CLERKS, *ACCOUNTANTS])
@pytest.mark.parametrize("role", list(Role))
def test_a_stranger_changes_nothing_whatever_the_role(client, party, name, role):
    from tests.factories import member

    client.force_login(member(role).user)
    draft = draft_invoice(party, "10")
    assert client.post(at(name, draft), {"reason": "x"}).status_code == 404
    assert Invoice.objects.get().state == InvoiceState.DRAFT


@pytest.mark.parametrize("name", [*ENTRY, *CLERKS, *ACCOUNTANTS])
def test_a_viewer_changes_nothing(viewer, party, name):
    draft = draft_invoice(party, "10")
    assert viewer.post(at(name, draft), {"reason": "x"}).status_code == 403
    assert Invoice.objects.get().state == InvoiceState.DRAFT


def test_a_viewer_enters_nothing(viewer, party):
    assert viewer.get("/billing/invoices/create/").status_code == 403
    assert viewer.post("/billing/invoices/create/", typed(party)).status_code == 403
    assert viewer.post("/billing/invoices/compute/", typed(party)).status_code == 403


def test_a_clerk_does_not_void(clerk, party):
    invoice = posted_invoice(party, "10")
    assert clerk.post(at("void", invoice), {"reason": "x"}).status_code == 403
    assert "Void …" not in clerk.get(at("detail", invoice)).content.decode()


@pytest.mark.parametrize("name", [*PAGES, *ENTRY])
def test_who_is_not_signed_in_signs_in_first_and_comes_back(anonymous, party, name):
    url = at(name, draft_invoice(party, "10"))
    assert anonymous.get(url)["Location"] == f"/accounts/sign-in/?next={url}"


@pytest.mark.parametrize("name", [*CLERKS, *ACCOUNTANTS])
def test_who_is_not_signed_in_changes_nothing(anonymous, party, name):
    draft = draft_invoice(party, "10")
    page = f"http://testserver{at('detail', draft)}"
    response = anonymous.post(at(name, draft), {"reason": "x"}, headers={"referer": page})
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/sign-in/?next=/billing/")
    assert Invoice.objects.get().state == InvoiceState.DRAFT


def test_fragments_tell_a_script_that_one_was_signed_out(anonymous, party):
    url = at("history", draft_invoice(party, "10"))
    assert anonymous.get(url, headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("name", [*CLERKS, *ACCOUNTANTS])
def test_changes_are_not_made_by_reading(accountant, party, name):
    draft = draft_invoice(party, "10")
    assert accountant.get(at(name, draft)).status_code == 405


def test_changes_need_the_token_against_forgery(company, party):
    from django.test import Client

    from tests.factories import member

    client = Client(enforce_csrf_checks=True)
    client.force_login(member(Role.OWNER, company=company).user)
    draft = draft_invoice(party, "10")
    for name in (*ENTRY, *CLERKS, *ACCOUNTANTS):
        assert client.post(at(name, draft), {"reason": "x"}).status_code == 403
    assert client.post("/billing/invoices/bulk/", {"action": "issue"}).status_code == 403


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_is_three_queries_at_most_however_many_lines(viewer, party, count):
    invoice = posted_invoice(party, *["10"] * count)
    assert len(business_queries(viewer, at("detail", invoice))) <= 3
    assert len(business_queries(viewer, at("settlements", invoice))) <= 2
    assert len(business_queries(viewer, at("history", invoice))) <= 3


@pytest.mark.parametrize(
    "query",
    ["", "?q=INV", "?q=quay&sort=total", "?overdue=on", "?party={party}", "?q=x&party={party}"],
)
def test_the_list_is_two_queries_however_many_rows(accountant, party, query):
    for _ in range(5):
        posted_invoice(party, "10")
    url = "/billing/invoices/" + query.format(party=party.pk)
    assert len(business_queries(accountant, url)) <= 2
    assert len(business_queries(accountant, url.replace("invoices/", "invoices/totals/"))) <= 3


def test_entering_is_few_queries(clerk, party):
    draft = draft_invoice(party, "10", "20")
    assert len(business_queries(clerk, "/billing/invoices/create/")) <= 1
    assert len(business_queries(clerk, at("edit", draft))) <= 2
