"""Goods that come back: recording, showing, applying and deleting a return."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.dates import today
from billing.models import Balance, Invoice, InvoiceItem, Return
from billing.services import close_books
from documents.models import Document
from tests.billing.books import assert_reconciled
from tests.billing.factories import (
    DAY,
    draft_invoice,
    new_party,
    posted_invoice,
    posted_return,
    returned_item,
)
from tests.billing.pages.conftest import business_queries
from tests.billing.pages.typed import lines
from tests.factories import CompanyFactory

LIST, CREATE = reverse("billing:return_list"), reverse("billing:return_create")
FREE = {"description": "Jug", "quantity": "1", "unit_price": "10", "tax_rate": "0"}


def at(name, found):
    return reverse(f"billing:return_{name}", args=[found.pk])


def sold(party, quantity="5", price="10"):
    """An issued invoice of so many of one item."""
    invoice = posted_invoice(party, price)
    InvoiceItem.objects.filter(invoice=invoice).update(
        quantity=quantity, net=Decimal(quantity) * 10
    )
    amount = Decimal(quantity) * 10
    Invoice.objects.filter(pk=invoice.pk).update(subtotal=amount, net=amount, total=amount)
    Balance.objects.update(invoiced=amount, current=amount)
    return Invoice.objects.get(pk=invoice.pk)


def of(invoice, quantity, **fields):
    item = invoice.items.get()
    data = {"invoice": str(invoice.pk), "return_date": "2026-03-12", "reason": ""}
    return data | {f"quantity-{item.pk}": quantity} | fields


def without(party, *rows, **fields):
    data = {"party": str(party.pk), "return_date": "2026-03-12", "reason": "Broken"}
    return data | lines(*(rows or (FREE,))) | fields


def said(response):
    return " | ".join(str(message) for message in response.context["messages"])


def test_the_invoice_is_found_by_its_number(clerk, party):
    invoice = sold(party)
    body = clerk.get(CREATE, {"number": invoice.invoice_number.lower()}).content.decode()
    assert "Comes back now" in body
    assert "There is no invoice XY" in clerk.get(CREATE, {"number": "XY"}).content.decode()
    assert "Of which invoice" in clerk.get(CREATE).content.decode()


def test_the_form_says_what_was_sold_what_came_back_and_the_most(clerk, party):
    invoice = sold(party)
    returned_item(invoice, "2")
    response = clerk.get(CREATE, {"invoice": str(invoice.pk)})
    [row] = response.context["item_rows"]
    assert (row.sold.item.quantity, row.sold.returned, row.sold.most) == (5, 2, 3)


def test_a_return_of_an_invoice_reduces_what_is_due(clerk, company, party):
    invoice = sold(party)
    response = clerk.post(CREATE, of(invoice, "2", reason="Cracked"))
    found = Return.objects.get()
    assert response["Location"] == found.get_absolute_url()
    assert (found.total, found.reason, found.party) == (20, "Cracked", party)
    assert Invoice.objects.get().due == 30
    assert_reconciled(company)


@pytest.mark.parametrize(
    ("quantity", "wrong"),
    [
        ("5.001", "At most 5 can come back"),
        ("1,00", "with a point and no commas"),
        ("NaN", "Write a plain number"),
        ("1e308", "Write a plain number"),
        ("-1", "must not be negative"),
        ("0.0005", "no more than 3 decimal places"),
        ("", "Type how much came back"),
        ("0", "Type how much came back"),
    ],
)
def test_a_wrong_quantity_is_said_beside_it(clerk, party, quantity, wrong):
    invoice = sold(party)
    response = clerk.post(CREATE, of(invoice, quantity))
    assert response.status_code == 200
    assert wrong in " ".join(response.context["form"].errors["quantity"])
    assert not Return.objects.exists()


def test_what_came_back_already_can_not_come_back_again(clerk, party):
    invoice = sold(party)
    clerk.post(CREATE, of(invoice, "4"))
    response = clerk.post(CREATE, of(invoice, "2"))
    item = str(invoice.items.get().pk)
    assert response.context["form"].row_errors == {item: "At most 1 can come back."}


@pytest.mark.parametrize(
    ("field", "typed", "wrong"),
    [
        ("return_date", "2999-01-01", "in the future"),
        ("return_date", "2026-03-09", "before the invoice's"),
        ("return_date", "x", "Write the date as"),
        ("reason", "x" * 201, "at most 200"),
        ("reason", "a\0", "Null characters"),
    ],
)
def test_a_wrong_field_is_named(clerk, party, field, typed, wrong):
    response = clerk.post(CREATE, of(sold(party), "1", **{field: typed}))
    assert wrong in " ".join(response.context["form"].errors[field])
    assert f'id="id_{field}-errors"' in response.content.decode()


def test_a_party_that_is_none_is_said_to_be(clerk, party):
    response = clerk.post(CREATE, without(party) | {"party": "nobody"})
    assert response.context["form"].errors["party"] == ["There is no such party."]
    assert not Return.objects.exists()


def test_credit_notes_of_the_ticked_are_asked_for(viewer, party, queues):
    made = [returned_item(sold(party), "2"), posted_return(party, "7")]
    data = {"action": "paper", "ids": [str(each.pk) for each in made]}
    response = viewer.post(reverse("billing:return_bulk"), data, follow=True)
    assert "Make credit notes: 2 done." in said(response)
    asked = Document.objects.filter(kind="return-receipt").values_list("subject_id", flat=True)
    assert set(asked) == {each.pk for each in made}


def test_closed_books_are_named(clerk, company, party):
    invoice = sold(party)
    close_books(company=company, until=today(company), by=None)
    response = clerk.post(CREATE, of(invoice, "1"))
    assert "The books are closed up to" in response.context["form"].errors["return_date"][0]


def test_a_draft_has_nothing_to_come_back(clerk, party):
    draft = draft_invoice(party, "10")
    response = clerk.post(CREATE, of(draft, "1"))
    assert "draft" in " ".join(response.context["form"].errors["invoice"])


def test_items_of_another_invoice_are_refused(clerk, company, party):
    invoice, other = sold(party), sold(new_party(company, code="P2"))
    data = of(invoice, "1") | {f"quantity-{other.items.get().pk}": "1"}
    response = clerk.post(CREATE, data)
    assert "no such item" in response.context["form"].errors["quantity"][0]


def test_an_accountant_records_one_without_an_invoice(accountant, company, party):
    assert "without an invoice" in accountant.get(CREATE, {"without": "1"}).content.decode()
    accountant.post(CREATE, without(party))
    found = Return.objects.get()
    assert (found.total, found.invoice, found.reason) == (10, None, "Broken")
    assert_reconciled(company)


def test_without_an_invoice_a_reason_and_a_line_are_needed(accountant, party):
    response = accountant.post(CREATE, without(party, reason=" "))
    assert "needs a reason" in response.context["form"].errors["reason"][0]
    response = accountant.post(CREATE, without(party, {"quantity": "1", "tax_rate": "20"}))
    assert "one line at least" in " ".join(response.context["form"].non_field_errors())
    response = accountant.post(CREATE, without(party, FREE | {"unit_price": "1,5"}))
    assert "commas" in response.context["lines"].forms[0].errors["unit_price"][0]
    assert not Return.objects.exists()


def test_a_clerk_may_not_go_without_an_invoice(clerk, party):
    assert "Of which invoice" in clerk.get(CREATE, {"without": "1"}).content.decode()
    response = clerk.post(CREATE, without(party))
    assert "Choose the invoice" in response.context["form"].errors["invoice"][0]
    assert "Choose the invoice" in response.content.decode()
    assert not Return.objects.exists()


def test_the_page_and_the_list_show_it(viewer, party):
    found = returned_item(sold(party), "2")
    body = viewer.get(at("detail", found)).content.decode()
    for text in (found.return_number, "Quayside Provisions", "£20.00", "Oak serving board"):
        assert text in body
    assert found.return_number in viewer.get(LIST).content.decode()
    assert str(found.invoice) in viewer.get(at("applied", found)).content.decode()
    assert "£20.00" in viewer.get(reverse("billing:return_totals")).content.decode()
    assert found.return_number in b"".join(viewer.get(reverse("billing:return_export"))).decode()


def test_the_list_is_narrowed(viewer, company, party):
    posted_return(party, "10", day=DAY)
    posted_return(new_party(company, code="Q", name="Harbour"), "50", day=DAY + timedelta(days=3))
    for query in ({"q": "harb"}, {"least": "20"}, {"since": str(DAY + timedelta(days=1))}):
        assert [row.total for row in viewer.get(LIST, query).context["page"].rows] == [50]


def test_what_is_left_is_applied(clerk, party):
    found, invoice = posted_return(party, "15"), posted_invoice(party, "100")
    clerk.post(at("apply", found), {f"share-{invoice.pk}": "15", "save": "1"})
    assert Invoice.objects.get().returned == 15


def test_a_deleted_return_is_gone_and_reversed(accountant, company, party):
    invoice = sold(party)
    found = returned_item(invoice, "2")
    response = accountant.post(at("delete", found), follow=True)
    assert "is deleted" in said(response)
    found = Return.all_objects.get(pk=found.pk)
    assert not found.is_active
    assert Invoice.objects.get().due == 50
    assert_reconciled(company)
    assert accountant.get(at("detail", found)).status_code == 404
    assert str(found.pk) not in accountant.get(LIST).content.decode()
    assert accountant.post(at("delete", found)).status_code == 404


def test_deleting_in_closed_books_is_refused(accountant, company, party):
    found = returned_item(sold(party), "2")
    close_books(company=company, until=DAY, by=None)
    assert "books are closed" in said(accountant.post(at("delete", found), follow=True))
    assert Return.objects.get().is_active


def test_a_stranger_finds_nothing(stranger, clerk, party):
    invoice = sold(party)
    found = returned_item(invoice)
    for name in ("detail", "applied", "apply", "history"):
        assert stranger.get(at(name, found)).status_code == 404
    assert stranger.post(at("delete", found)).status_code == 404
    assert stranger.get(CREATE, {"invoice": str(invoice.pk)}).status_code == 404
    assert stranger.post(CREATE, of(invoice, "1")).status_code == 404
    bulk = {"action": "paper", "ids": [str(found.pk)]}
    assert stranger.post(reverse("billing:return_bulk"), bulk).status_code == 404
    foreign = posted_invoice(new_party(CompanyFactory.create(), code="X"), "10")
    assert clerk.post(CREATE, of(foreign, "1")).status_code == 404


def test_roles(viewer, clerk, anonymous, party):
    found = returned_item(sold(party))
    assert viewer.get(at("detail", found)).status_code == 200
    assert viewer.get(CREATE).status_code == 403
    assert viewer.post(at("apply", found)).status_code == 403
    assert clerk.post(at("delete", found)).status_code == 403
    for url in (LIST, CREATE, at("detail", found)):
        assert anonymous.get(url)["Location"].startswith(reverse("account_login"))


def test_the_queries_stay_few(clerk, party):
    invoice = sold(party)
    for _ in range(3):
        found = returned_item(invoice)
    assert len(business_queries(clerk, LIST)) <= 2
    assert len(business_queries(clerk, at("detail", found))) <= 2
    assert len(business_queries(clerk, f"{CREATE}?invoice={invoice.pk}")) <= 2
