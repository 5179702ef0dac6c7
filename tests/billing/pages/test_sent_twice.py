"""A form that is sent twice, by an impatient hand or since an answer was lost, makes one record."""

import re
import threading
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Challan, Invoice, Party, Payment, Return
from billing.services import delete_draft
from billing.services.parties import deactivate_party
from billing.views import payments
from billing.views.entries import EntryView
from tests.billing.books import assert_reconciled
from tests.billing.factories import draft_invoice, new_party, posted_invoice, posted_payment
from tests.billing.pages.typed import invoice as typed
from tests.billing.pages.typed import lines
from tests.factories import CompanyFactory
from tests.worker.racing import at_once

KINDS = {"invoice": Invoice, "payment": Payment, "return": Return, "challan": Challan}
GOODS = {"description": "Jug", "quantity": "2", "unit_price": "7.50"}


def entry(kind, party):
    """(address of the form, what is typed into it)"""
    day = "2026-03-12"
    of_party = {"party": str(party.pk)}
    if kind == "invoice":
        data = typed(party, issue="1")
    elif kind == "payment":
        data = of_party | {"amount": "40", "payment_date": day, "method": "bank", "save": "1"}
    elif kind == "return":
        sold = posted_invoice(party, "10")
        data = {"invoice": str(sold.pk), "return_date": day, f"quantity-{sold.items.get().pk}": "1"}
    elif kind == "challan":
        data = of_party | {"challan_date": day} | lines(GOODS)
    else:
        data = {"code": "NEW", "name": "Harbour Stores", "payment_terms_days": "30"}
    return reverse(f"billing:{kind}_create"), data


def drawn_token(response):
    found = re.search(r'name="token" value="([^"]+)"', response.content.decode())
    return found and found[1]


def said(client, response):
    shown = client.get(response["Location"])
    return " ".join(str(message) for message in shown.context["messages"])


@pytest.mark.parametrize(("kind", "model"), KINDS.items())
def test_two_presses_make_one(clerk, company, party, kind, model):
    url, data = entry(kind, party)
    before = set(model.objects.values_list("pk", flat=True))
    token = drawn_token(clerk.get(url, data)) or pytest.fail("no token")
    first, second = (clerk.post(url, data | {"token": token}) for _ in range(2))
    [made] = model.objects.exclude(pk__in=before)
    assert str(made.pk) == token
    assert first["Location"] == second["Location"] == made.get_absolute_url()
    assert "The form was sent twice: it counts once" in said(clerk, second)
    assert_reconciled(company)


def test_a_new_party_is_not_refused_for_its_own_code(clerk, party):
    url, data = entry("party", party)
    data["token"] = drawn_token(clerk.get(url))
    first, second = (clerk.post(url, data) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Party.objects.filter(code="NEW").count() == 1


def test_each_form_that_is_opened_has_a_token_of_its_own(clerk, party):
    url, data = entry("payment", party)
    for _ in range(2):
        clerk.post(url, data | {"token": drawn_token(clerk.get(url))})
    assert Payment.objects.count() == 2


def test_a_form_that_is_refused_keeps_its_token(clerk, party):
    url, data = entry("payment", party)
    token = str(uuid4())
    assert drawn_token(clerk.post(url, data | {"token": token, "amount": "1,00"})) == token
    clerk.post(url, data | {"token": token})
    assert str(Payment.objects.get().pk) == token


@pytest.mark.parametrize("token", [None, "", "x", "\0", "1" * 10_000])
def test_without_a_token_that_is_one_it_is_saved_all_the_same(clerk, party, token):
    url, data = entry("payment", party)
    for _ in range(2):
        assert clerk.post(url, data | ({"token": token} if token else {})).status_code == 302
    assert Payment.objects.count() == 2


def test_the_token_of_a_change_is_nobodys_key(clerk, party):
    draft, other = draft_invoice(party, "10"), draft_invoice(party, "20")
    url = reverse("billing:invoice_edit", args=[draft.pk])
    assert drawn_token(clerk.get(url)) not in (None, str(draft.pk))
    clerk.post(url, typed(party, token=str(other.pk), reference="PO-7"))
    draft.refresh_from_db()
    other.refresh_from_db()
    assert (draft.reference, other.reference) == ("PO-7", "")


class TestANewInvoice:
    @pytest.fixture
    def form(self, clerk, party):
        """(its address, what is sent)"""
        url = reverse("billing:invoice_create")
        return url, typed(party, token=drawn_token(clerk.get(url)))

    def test_that_is_saved_and_then_issued_by_the_same_form_is_issued(self, clerk, company, form):
        url, data = form
        for button in ("save", "issue", "issue"):
            response = clerk.post(url, data | {button: "1"})
        invoice = Invoice.objects.get()
        assert invoice.state == "issued"
        assert f"Invoice {invoice.invoice_number} is issued." in said(clerk, response)
        assert_reconciled(company)

    def test_that_somebody_has_changed_since_is_not_issued(self, clerk, accountant, party, form):
        url, data = form
        clerk.post(url, data | {"save": "1"})
        edit = reverse("billing:invoice_edit", args=[Invoice.objects.get().pk])
        accountant.post(edit, typed(party, reference="PO-8"))
        clerk.post(url, data | {"issue": "1"})
        assert (Invoice.objects.get().state, Invoice.objects.get().reference) == ("draft", "PO-8")

    def test_that_cannot_be_issued_is_a_draft_and_says_why(self, clerk, party, form):
        url, data = form
        clerk.post(url, data | {"save": "1"})
        deactivate_party(party=party, by=None)
        response = clerk.post(url, data | {"issue": "1"})
        assert "The draft is saved. The party is inactive" in said(clerk, response)
        assert Invoice.objects.get().state == "draft"


def test_something_else_by_a_form_that_was_sent_is_shown_and_not_dropped(clerk, party):
    """The answer was lost, and the amount is corrected before it is sent again."""
    url, data = entry("payment", party)
    data["token"] = drawn_token(clerk.get(url))
    clerk.post(url, data)
    response = clerk.post(url, data | {"amount": "400"})
    body = response.content.decode()
    assert "with something else in it. Payment PAY-2026-00001 " in body
    assert 'value="400"' in body
    assert Payment.objects.get().amount == 40
    assert (
        clerk.post(url, data | {"amount": "400", "token": drawn_token(response)}).status_code == 302
    )
    assert sorted(Payment.objects.values_list("amount", flat=True)) == [40, 400]


class TestATokenThatWasUsedUp:
    def refused(self, client, url, data):
        """The token of the form that comes back."""
        response = client.post(url, data)
        assert response.status_code == 200
        assert "This form was used before" in response.content.decode()
        fresh = drawn_token(response)
        assert fresh not in (None, data["token"])
        return fresh

    def test_for_a_record_of_another_company_reaches_nothing(self, clerk, party):
        foreign = posted_payment(new_party(CompanyFactory.create()), "5")
        url, data = entry("payment", party)
        fresh = self.refused(clerk, url, data | {"token": str(foreign.pk)})
        foreign.refresh_from_db()
        assert (foreign.amount, Payment.objects.count()) == (5, 1)
        assert clerk.post(url, data | {"token": fresh}).status_code == 302
        assert Payment.objects.get(party=party).amount == 40

    def test_for_a_draft_that_was_deleted_since_makes_another_only_when_asked(self, clerk, party):
        url, token = reverse("billing:invoice_create"), str(uuid4())
        clerk.post(url, typed(party, token=token))
        delete_draft(invoice=Invoice.objects.get(), by=None)
        fresh = self.refused(clerk, url, typed(party, token=token))
        clerk.post(url, typed(party, token=fresh))
        assert str(Invoice.objects.get().pk) == fresh


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def press(self, clerk, monkeypatch, data):
        """Four presses, none of which finds a payment when it looks."""
        gate, record = threading.Barrier(4), payments.record_payment

        def record_together(**options):
            gate.wait(10)
            return record(**options)

        monkeypatch.setattr(payments, "record_payment", record_together)
        return at_once(*[lambda: self._post(clerk, data)] * 4)

    def _post(self, clerk, data):
        client = Client()
        client.cookies = clerk.cookies
        return client.post(reverse("billing:payment_create"), data).headers.get("Location")

    def on_account(self, party):
        return entry("payment", party)[1] | {"token": str(uuid4())}

    def test_one_is_made_and_all_are_shown_it(self, clerk, company, party, monkeypatch):
        answers = self.press(clerk, monkeypatch, self.on_account(party))
        made = Payment.objects.get()
        assert answers == [made.get_absolute_url()] * 4
        assert made.payment_number == "PAY-2026-00001"
        assert_reconciled(company)

    def test_nobody_is_told_that_the_invoice_is_paid_already(self, clerk, party, monkeypatch):
        bill = posted_invoice(party, "40")
        data = self.on_account(party) | {"invoice": str(bill.pk)}
        answers = self.press(clerk, monkeypatch, data)
        assert answers == [Payment.objects.get().get_absolute_url()] * 4

    def test_control_without_the_token_each_makes_one(self, clerk, party, monkeypatch):
        monkeypatch.setattr(EntryView, "token", None)
        answers = self.press(clerk, monkeypatch, self.on_account(party))
        assert len(set(answers)) == Payment.objects.count() == 4
