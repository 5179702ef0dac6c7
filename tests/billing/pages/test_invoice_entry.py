"""Entering, changing and issuing an invoice through its forms."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, OperationalError
from django.urls import reverse

from billing.forms import InvoiceForm, InvoiceItemFormSet
from billing.models import Invoice, InvoiceState
from billing.services import invoice_challans
from billing.views import InvoiceCreateView, invoices
from tests.billing.factories import draft_invoice, new_party, posted_invoice
from tests.billing.pages.typed import invoice as typed
from tests.billing.pages.typed import line, lines
from tests.billing.services.entering import delivered_challan
from tests.factories import CompanyFactory

CREATE = "/billing/invoices/create/"


def errors(response) -> str:
    assert response.status_code == 200
    assert Invoice.objects.count() == 0
    return response.content.decode()


def test_a_clerk_saves_a_draft(clerk, company, party):
    response = clerk.post(CREATE, typed(party, reference="PO-7", save="1"))
    made = Invoice.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/billing/invoices/{made.pk}/"
    assert (made.company, made.party, made.state) == (company, party, InvoiceState.DRAFT)
    assert (made.invoice_number, made.reference) == ("", "PO-7")
    assert (made.net, made.tax, made.total) == (Decimal(25), Decimal(5), Decimal(30))


def test_saving_and_issuing_takes_the_number_at_once(clerk, party):
    clerk.post(CREATE, typed(party, issue="1"))
    made = Invoice.objects.get()
    assert made.state == InvoiceState.ISSUED
    assert made.invoice_number == "INV-2026-00001"


def test_what_cannot_be_issued_is_not_saved_either(clerk, company, party):
    company.books_closed_until = date(2026, 3, 31)
    company.save()
    body = errors(clerk.post(CREATE, typed(party, issue="1")))
    assert "The books are closed up to 2026-03-31." in body


def test_the_due_date_follows_from_the_partys_terms(clerk, party):
    clerk.post(CREATE, typed(party))
    assert Invoice.objects.get().due_date == date(2026, 3, 24)


def test_a_due_date_before_the_date_is_refused(clerk, party):
    body = errors(clerk.post(CREATE, typed(party, due_date="2026-03-09")))
    assert "The due date is before the invoice&#x27;s date." in body


def test_a_party_must_be_chosen(clerk):
    assert "Choose a party." in errors(clerk.post(CREATE, typed(None)))


def test_a_party_of_another_company_does_not_exist(clerk, party):
    foreign = new_party(CompanyFactory.create())
    assert "There is no such party." in errors(clerk.post(CREATE, typed(foreign)))


def test_an_error_stands_beside_its_field_and_in_the_summary(clerk, party):
    body = errors(clerk.post(CREATE, typed(party, line(unit_price="1,00"))))
    assert 'aria-invalid="true"' in body
    assert 'aria-describedby="id_items-0-unit_price-errors"' in body
    assert 'id="id_items-0-unit_price-errors"' in body
    assert '<a href="#id_items-0-unit_price">Line 1, Price</a>' in body
    assert 'value="1,00"' in body


def test_lines_keep_the_order_of_their_places(clerk, party):
    rows = [line(description=name, place=place) for name, place in (("b", 2), ("c", 3), ("a", 1))]
    clerk.post(CREATE, typed(party, *rows))
    items = Invoice.objects.get().items.all()
    assert [(item.position, item.description) for item in items] == [(1, "a"), (2, "b"), (3, "c")]


def test_blank_and_removed_lines_are_left_out(clerk, party):
    blank = {"description": "", "quantity": "1", "unit_price": "", "tax_rate": "20"}
    broken = line(unit_price="nonsense", remove="on")
    clerk.post(CREATE, typed(party, blank, line(), broken))
    assert [item.description for item in Invoice.objects.get().items.all()] == ["Oak serving board"]


def test_a_line_needs_its_description_and_price(clerk, party):
    body = errors(clerk.post(CREATE, typed(party, {"quantity": "3"})))
    assert "Line 1, Description" in body
    assert "Line 1, Price" in body


def test_a_thousand_lines_are_stored(clerk, party):
    clerk.post(CREATE, typed(party, *[line(description=f"L{n}") for n in range(1000)]))
    assert Invoice.objects.get().items.count() == 1000


@pytest.mark.parametrize("count", [1001, 5000])
def test_more_than_a_thousand_lines_are_refused_with_the_limit_named(clerk, party, count):
    body = errors(clerk.post(CREATE, typed(party, *[line()] * count)))
    assert "A document has at most 1,000 lines." in body


def test_an_invoice_without_lines_is_a_draft_that_cannot_be_issued(clerk, party):
    body = errors(clerk.post(CREATE, typed(party, {}, issue="1")))
    assert "needs at least one item" in body


def test_company_state_number_and_totals_cannot_be_typed(clerk, company, party):
    other = CompanyFactory.create()
    forged = {
        "company": str(other.pk),
        "state": "paid",
        "invoice_number": "INV-1",
        "total": "1",
        "paid": "1",
        "net": "1",
        "currency": "JPY",
        "prices_include_tax": "on",
        "created_by": "1",
        "is_active": "",
        "items-0-net": "1",
        "items-0-position": "9",
    }
    clerk.post(CREATE, typed(party, **forged))
    made = Invoice.objects.get()
    assert (made.company, made.state, made.invoice_number) == (company, "draft", "")
    assert (made.total, made.paid, made.currency, made.prices_include_tax) == (30, 0, "GBP", False)
    assert made.items.get().position == 1


def test_the_forms_name_their_fields():
    assert set(InvoiceForm._meta.fields).isdisjoint(
        {"company", "state", "invoice_number", "total", "paid", "returned", "currency", "is_active"}
    )
    assert {"net", "position", "invoice"}.isdisjoint(InvoiceItemFormSet.form.base_fields)


def test_a_party_given_in_the_address_is_chosen_already(clerk, party):
    body = clerk.get(f"{CREATE}?party={party.pk}").content.decode()
    assert f'<option value="{party.pk}" selected>P1 · Quayside Provisions</option>' in body
    assert clerk.get(f"{CREATE}?party=nonsense").status_code == 200


def test_a_draft_is_changed_with_all_its_lines(clerk, party):
    draft = draft_invoice(party, "10", "20")
    url = reverse("billing:invoice_edit", args=[draft.pk])
    assert 'value="Oak serving board"' not in (body := clerk.get(url).content.decode())
    assert body.count("Oak serving board</textarea>") == 2
    clerk.post(url, typed(party, line(description="Jug", unit_price="5")))
    draft.refresh_from_db()
    assert [item.description for item in draft.items.all()] == ["Jug"]
    assert draft.total == 12


def test_a_draft_of_challans_is_not_issued_for_another_party(clerk, company, party):
    draft = invoice_challans(challans=[delivered_challan(party)], by=None)
    other = new_party(company, code="P2")
    response = clerk.post(f"/billing/invoices/{draft.pk}/edit/", typed(other, issue="1"))
    assert response.status_code == 200
    [said] = response.context["form"].errors["party"]
    assert said.startswith("It has challans of another party")
    draft.refresh_from_db()
    assert (draft.party, draft.state) == (party, InvoiceState.DRAFT)


def test_an_issued_invoice_is_not_changed_and_says_why(clerk, party):
    issued = posted_invoice(party, "10")
    url = reverse("billing:invoice_edit", args=[issued.pk])
    for response in (clerk.get(url), clerk.post(url, typed(party))):
        assert response.status_code == 409
        assert "It is issued" in response.content.decode()
    issued.refresh_from_db()
    assert issued.total == 10


@pytest.mark.django_db(transaction=True)
def test_creation_is_tried_again_when_the_database_says_it_lost_a_race(clerk, party, monkeypatch):
    tries = []

    def unlucky(**arguments):
        tries.append(arguments)
        if len(tries) < 3:
            raise OperationalError("database is locked")
        return real(**arguments)

    real = invoices.save_draft
    monkeypatch.setattr(invoices, "save_draft", unlucky)
    assert clerk.post(CREATE, typed(party)).status_code == 302
    assert len(tries) == InvoiceCreateView.max_retries == 3
    assert Invoice.objects.count() == 1


def test_other_database_errors_are_not_tried_again(clerk, party, monkeypatch):
    tries = []

    def broken(**arguments):
        tries.append(arguments)
        raise DatabaseError("disk full")

    monkeypatch.setattr(invoices, "save_draft", broken)
    with pytest.raises(DatabaseError, match="disk full"):
        clerk.post(CREATE, typed(party))
    assert len(tries) == 1


def test_totals_are_computed_by_the_server_and_nothing_is_saved(clerk, company, party):
    rows = (line(quantity="3", unit_price="0.335"), line(unit_price="x"))
    response = clerk.post("/billing/invoices/compute/", typed(party, *rows))
    body = response.content.decode()
    assert response.status_code == 200
    assert "£1.01" in body  # 1.005 is rounded half up, as money.md says
    assert 'id="grand-total">£1.21<' in body
    assert "1 line not counted" in body
    assert 'id="items-0-net" hx-swap-oob="innerHTML">£1.01<' in body
    assert Invoice.objects.count() == 0


def test_totals_of_the_preview_are_those_that_are_stored(clerk, party):
    fields = {"discount_percent": "7.5", "shipping": "4.99", "shipping_tax_rate": "20"}
    rows = [line(quantity="7", unit_price="19.99"), line(tax_rate="5", discount_percent="10")]
    data = typed(party, *rows, **fields)
    body = clerk.post("/billing/invoices/compute/", data).content.decode()
    clerk.post(CREATE, data)
    assert f'id="grand-total">£{Invoice.objects.get().total:.2f}<' in body


def test_amounts_beyond_all_columns_are_refused_in_the_preview_and_when_saved(clerk, party):
    data = typed(party, line(quantity="9" * 12, unit_price="9" * 14))
    assert clerk.post("/billing/invoices/compute/", data).status_code == 200
    assert "more" in errors(clerk.post(CREATE, data))


def test_a_lost_management_form_is_an_error_on_the_page(clerk, party):
    data = {"party": str(party.pk), "invoice_date": "2026-03-10"}
    assert "did not arrive whole" in errors(clerk.post(CREATE, data))
    assert lines() == {"items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0}
