"""Recording a payment: against an invoice, spread over several, or on account."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.dates import today
from billing.models import Allocation, Invoice, Payment
from billing.services import close_books, void_invoice
from billing.services.balances import set_opening
from tests.billing.factories import DAY, new_party, posted_invoice, posted_payment
from tests.billing.pages.conftest import business_queries
from tests.factories import CompanyFactory

URL = reverse("billing:payment_create")


def typed(party, /, **fields):
    data = {"amount": "50", "payment_date": "2026-03-12", "method": "bank", "save": "1"}
    return data | ({"party": str(party.pk)} if party else {}) | fields


def shares(*pairs):
    return {f"share-{invoice.pk}": amount for invoice, amount in pairs}


def due(invoice):
    return Invoice.objects.get(pk=invoice.pk).due


def test_a_general_payment_is_on_account(clerk, party):
    response = clerk.post(URL, typed(party, reference="CHQ 7"), follow=True)
    payment = Payment.objects.get()
    assert (payment.amount, payment.invoice, payment.reference) == (50, None, "CHQ 7")
    body = response.content.decode()
    assert "General Payment" in body
    assert "Apply the rest" in body


def test_the_address_of_an_invoice_fills_the_form(clerk, party):
    invoice = posted_invoice(party, "120")
    body = clerk.get(URL, {"invoice": str(invoice.pk)}).content.decode()
    assert 'value="120.00"' in body
    assert f'name="invoice" value="{invoice.pk}"' in body


def test_a_payment_against_one_invoice_settles_it(clerk, party):
    invoice = posted_invoice(party, "120")
    clerk.post(URL, typed(party, invoice=str(invoice.pk), amount="120.00"))
    assert Payment.objects.get().invoice == invoice
    assert due(invoice) == 0


def test_a_payment_is_spread_over_several(clerk, party):
    one, other = posted_invoice(party, "100"), posted_invoice(party, "30")
    clerk.post(URL, typed(party, amount="70", **shares((one, "40"), (other, "25.50"))))
    assert (due(one), due(other)) == (60, Decimal("4.50"))
    assert Payment.objects.get().allocations.count() == 2


def test_the_server_spreads_the_oldest_first_and_saves_nothing(clerk, party):
    newer = posted_invoice(party, "100", day=DAY)
    older = posted_invoice(party, "30", day=DAY - timedelta(days=9))
    data = typed(party, amount="70.50", spread="1") | {"save": ""}
    del data["save"]
    body = clerk.post(URL, data).content.decode()
    assert f'name="share-{older.pk}" value="30.00"' in body
    assert f'name="share-{newer.pk}" value="40.50"' in body
    assert body.index(str(older.pk)) < body.index(str(newer.pk))
    assert not Payment.objects.exists()


def test_open_invoices_and_the_sum_follow_what_is_typed(clerk, party):
    invoice = posted_invoice(party, "100")
    data = {"party": str(party.pk), "amount": "50", "look": "1"} | shares((invoice, "20"))
    body = clerk.post(URL, data).content.decode()
    assert str(invoice) in body
    assert "£30.00</strong> stays on account" in body
    assert "things to put right" not in body


@pytest.mark.parametrize(
    ("field", "typed_in", "said"),
    [
        ("amount", "1,00", "with a point and no commas"),
        ("amount", "NaN", "Write a plain number"),
        ("amount", "Infinity", "Write a plain number"),
        ("amount", "1e308", "Write a plain number"),
        ("amount", "-0", "must not be negative"),
        ("amount", "0.005", "GBP has no such fraction"),
        ("amount", "١٢", "Write a plain number"),
        ("amount", "0", "more than zero"),
        ("amount", "", "This field is required"),
        ("amount", "9" * 19, "no more than"),
        ("payment_date", "2999-01-01", "in the future"),
        ("payment_date", "soon", "Write the date as"),
        ("method", "gold", "Select a valid choice"),
        ("reference", "x" * 101, "at most 100 characters"),
        ("reference", "a\0b", "Null characters"),
        ("party", "nobody", "There is no such party"),
        ("invoice", "nothing", "There is no such invoice"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(clerk, party, field, typed_in, said):
    response = clerk.post(URL, typed(party, **{field: typed_in}))
    assert response.status_code == 200
    assert said in " ".join(response.context["form"].errors[field])
    assert f'id="id_{field}-errors"' in response.content.decode()
    assert not Payment.objects.exists()


def test_an_invoice_alone_says_whose_payment_it_is(clerk, party):
    invoice = posted_invoice(party, "120")
    clerk.post(URL, typed(None, invoice=str(invoice.pk)))
    payment = Payment.objects.get()
    assert (payment.party, payment.invoice) == (party, invoice)


def test_one_invoice_and_a_spread_at_once_are_refused(clerk, party):
    one, other = posted_invoice(party, "120"), posted_invoice(party, "30")
    data = typed(party, invoice=str(one.pk), **shares((other, "20")))
    response = clerk.post(URL, data)
    assert "Pay one invoice, or spread" in response.context["form"].errors["allocations"][0]
    assert not Payment.objects.exists()


def test_what_the_oldest_uses_up_leaves_nothing_for_the_next(clerk, party):
    newer = posted_invoice(party, "100", day=DAY)
    older = posted_invoice(party, "30", day=DAY - timedelta(days=9))
    data = typed(party, amount="30", spread="1")
    del data["save"]
    body = clerk.post(URL, data).content.decode()
    assert f'name="share-{older.pk}" value="30.00"' in body
    assert f'name="share-{newer.pk}" value=""' in body


def test_a_missing_party_is_asked_for(clerk):
    response = clerk.post(URL, typed(None))
    assert response.context["form"].errors["party"] == ["Choose a party."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("100.01", "more than the balance due of 100.00"),
        ("0.005", "GBP has no such fraction"),
        ("1,00", "with a point and no commas"),
        ("NaN", "Write a plain number"),
    ],
)
def test_a_wrong_share_is_said_beside_its_invoice(clerk, party, text, said):
    invoice = posted_invoice(party, "100")
    response = clerk.post(URL, typed(party, amount="500", **shares((invoice, text))))
    assert said in response.context["form"].row_errors[str(invoice.pk)]
    body = response.content.decode()
    assert f'id="share-{invoice.pk}-error"' in body
    assert 'hx-trigger="load, change from:#id_party"' not in body  # which would take it away
    assert not Payment.objects.exists()


def test_shares_are_not_more_than_the_amount(clerk, party):
    invoice = posted_invoice(party, "100")
    response = clerk.post(URL, typed(party, amount="50", **shares((invoice, "60"))))
    assert "more than the payment" in response.context["form"].errors["allocations"][0]


def test_more_than_is_due_of_the_one_invoice_is_refused_beside_the_amount(clerk, party):
    invoice = posted_invoice(party, "100")
    response = clerk.post(URL, typed(party, invoice=str(invoice.pk), amount="100.01"))
    assert "more than the balance due" in response.context["form"].errors["amount"][0]
    assert due(invoice) == 100


def test_an_invoice_that_is_void_meanwhile_is_refused(clerk, party):
    invoice = posted_invoice(party, "100")
    void_invoice(invoice=invoice, reason="Wrong", by=None)
    response = clerk.post(URL, typed(party, invoice=str(invoice.pk)))
    assert "void" in response.context["form"].errors["invoice"][0]


def test_closed_books_are_named(clerk, company, party):
    close_books(company=company, until=today(company), by=None)
    response = clerk.post(URL, typed(party))
    assert "The books are closed up to" in response.context["form"].errors["payment_date"][0]


def test_ids_of_another_company_are_refused(clerk, party):
    foreign = new_party(CompanyFactory.create(), code="X")
    invoice = posted_invoice(foreign, "100")
    assert clerk.get(URL, {"invoice": str(invoice.pk)}).status_code == 404
    for wrong in (
        {"party": str(foreign.pk)},
        {"invoice": str(invoice.pk)},
        shares((invoice, "5")),
    ):
        response = clerk.post(URL, typed(party, **wrong))
        assert response.context["form"].errors
    assert not Payment.objects.exists()
    assert not Allocation.objects.exists()


def test_an_invoice_of_another_party_is_refused(clerk, company, party):
    invoice = posted_invoice(new_party(company, code="P2"), "100")
    response = clerk.post(URL, typed(party, invoice=str(invoice.pk)))
    assert "another party" in response.context["form"].errors["invoice"][0]
    response = clerk.post(URL, typed(party, **shares((invoice, "5"))))
    assert "no such open invoice" in response.context["form"].errors["allocations"][0]


def test_nobody_types_company_state_or_number(clerk, party):
    other = CompanyFactory.create()
    forged = {
        "company": str(other.pk),
        "payment_number": "X",
        "currency": "JPY",
        "void_reason": "y",
    }
    clerk.post(URL, typed(party, **forged, voided_at="2026-01-01"))
    payment = Payment.objects.get()
    assert payment.company == party.company
    assert (payment.payment_number[:3], payment.currency, payment.voided_at) == ("PAY", "GBP", None)


def test_strange_text_is_shown_unchanged_and_escaped(clerk, party):
    odd = "\u202e🙂 <script>alert(1)</script>"
    clerk.post(URL, typed(party, reference=odd, notes="w" * 9000))
    payment = Payment.objects.get()
    assert payment.reference == odd
    body = clerk.get(payment.get_absolute_url()).content.decode()
    assert "&lt;script&gt;alert(1)" in body
    assert "<script>alert(1)" not in body


def test_thousands_of_shares_are_refused_clearly(clerk, party):
    many = {f"share-{number}": "1" for number in range(5000)}
    response = clerk.post(URL, typed(party, **many))
    assert "At most 1,000 rows" in response.context["form"].errors["allocations"][0]


def test_unapplied_credit_is_seen_when_the_next_invoice_is_paid(clerk, party):
    credit = posted_payment(party, "15")
    invoice = posted_invoice(party, "100")
    body = clerk.get(URL, {"invoice": str(invoice.pk)}).content.decode()
    url = f"{reverse('billing:party_credit', args=[party.pk])}?invoice={invoice.pk}"
    assert url in body
    shown = clerk.get(url).content.decode()
    assert "£15.00" in shown
    assert f"{reverse('billing:payment_apply', args=[credit.pk])}?invoice={invoice.pk}" in shown


def test_an_opening_balance_in_the_partys_favour_says_how_it_is_applied(clerk, party):
    set_opening(party=party, opening=Decimal("-20"), opening_date=today(party.company), by=None)
    body = clerk.get(reverse("billing:party_credit", args=[party.pk])).content.decode()
    assert "£20.00" in body
    assert "clear the opening balance and enter a payment on account on its date" in body


def test_who_may_record(viewer, anonymous, clerk, party):
    assert viewer.get(URL).status_code == 403
    assert viewer.post(URL, typed(party)).status_code == 403
    assert anonymous.get(URL)["Location"].startswith(reverse("account_login"))
    assert anonymous.post(URL, typed(party)).status_code == 302
    assert clerk.get(URL).status_code == 200
    assert not Payment.objects.exists()


def test_the_form_stays_below_the_budget(clerk, party):
    invoice = posted_invoice(party, "100")
    for query in ("", f"?party={party.pk}", f"?invoice={invoice.pk}"):
        assert len(business_queries(clerk, URL + query)) <= 2
