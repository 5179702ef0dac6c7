"""Recording payments: never more than is due, however many cashiers there are."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from billing.dates import today
from billing.models import Allocation, Balance, Invoice, InvoiceState, NumberSequence, Payment
from billing.services import (
    Movement,
    balances,
    issue_invoice,
    move_balances,
    payments,
    record_payment,
)
from tests.billing.books import assert_reconciled, race
from tests.billing.factories import (
    DAY,
    BalanceFactory,
    draft_invoice,
    new_party,
    posted_invoice,
    posted_payment,
)
from tests.factories import CompanyFactory

D = Decimal


def refused_field(party, amount, **options):
    """The field that a payment is refused for; nothing may be left of it."""
    before = Payment.all_objects.count()
    with pytest.raises(ValidationError) as refused:
        record_payment(
            **{"party": party, "amount": D(amount), "payment_date": DAY, "by": None, **options}
        )
    assert Payment.all_objects.count() == before
    [field] = refused.value.error_dict
    return field


@pytest.mark.django_db
class TestAgainstAnInvoice:
    def test_part_of_it_makes_it_part_paid(self, party):
        invoice = posted_invoice(party, "100")
        payment = posted_payment(party, "40", invoice=invoice)
        invoice.refresh_from_db()
        assert (invoice.state, invoice.paid, invoice.due) == (InvoiceState.PART_PAID, 40, 60)
        assert payment.payment_number == "PAY-2026-00001"
        assert payment.allocations.get().amount == 40

    def test_all_of_it_makes_it_paid(self, company, party):
        invoice = posted_invoice(party, "100")
        posted_payment(party, "99.99", invoice=invoice)
        posted_payment(party, "0.01", invoice=invoice)
        invoice.refresh_from_db()
        assert (invoice.state, invoice.due) == (InvoiceState.PAID, 0)
        assert Balance.objects.get(party=party).current == 0
        assert_reconciled(company)

    def test_more_than_is_due_is_refused_naming_the_amount(self, party):
        invoice = posted_invoice(party, "100")
        posted_payment(party, "40", invoice=invoice)
        assert refused_field(party, "60.01", invoice=invoice) == "amount"
        assert Balance.objects.get(party=party).paid == 40
        assert not Allocation.objects.filter(amount__gt=40).exists()

    def test_a_refused_payment_leaves_no_gap_in_the_numbers(self, party):
        invoice = posted_invoice(party, "100")
        refused_field(party, "100.01", invoice=invoice)
        assert posted_payment(party, "1").payment_number == "PAY-2026-00001"

    def test_an_invoice_of_another_party_is_refused(self, company, party):
        invoice = posted_invoice(new_party(company, "P2"), "100")
        assert refused_field(party, "10", invoice=invoice) == "invoice"

    def test_an_invoice_of_another_company_is_refused(self, party):
        stranger = posted_invoice(new_party(CompanyFactory.create()), "100")
        assert refused_field(party, "10", invoice=stranger) == "invoice"

    @pytest.mark.parametrize("state", ["draft", "void"])
    def test_an_invoice_that_is_not_posted_is_refused(self, party, state):
        invoice = draft_invoice(party, "100")
        if state == "void":
            Invoice.objects.update(state=state, invoice_number="X1", void_reason="typing error")
        assert refused_field(party, "10", invoice=invoice) == "invoice"

    def test_what_was_paid_before_the_invoice_settles_it_from_its_date_on(self, party):
        invoice = posted_invoice(party, "100", day=DAY)
        payment = posted_payment(party, "10", day=DAY - timedelta(days=9), invoice=invoice)
        assert payment.allocations.get().applied_on == DAY


@pytest.mark.django_db
class TestOnAccount:
    def test_it_reduces_the_balance_and_settles_no_invoice(self, company, party):
        invoice = posted_invoice(party, "100")
        payment = posted_payment(party, "150")
        invoice.refresh_from_db()
        assert (payment.invoice, invoice.paid) == (None, 0)
        assert Balance.objects.get(party=party).current == -50
        assert_reconciled(company)


@pytest.mark.django_db
class TestRefusals:
    @pytest.mark.parametrize("amount", ["0", "-1", "NaN", "sNaN", "Infinity", "-Infinity"])
    def test_an_amount_that_is_none_is_refused(self, party, amount):
        assert refused_field(party, amount) == "amount"

    @pytest.mark.parametrize("amount", ["0.001", "10.005", "1e-9"])
    def test_a_fraction_of_a_minor_unit_is_refused(self, party, amount):
        assert refused_field(party, amount) == "amount"

    def test_a_currency_without_minor_units_takes_whole_amounts_only(self):
        party = new_party(CompanyFactory.create(currency="JPY"))
        assert refused_field(party, "10.5") == "amount"
        assert posted_payment(party, "10").amount == 10

    @pytest.mark.parametrize("amount", ["1e15", "1e30", "1e300"])
    def test_an_amount_that_no_column_holds_is_refused(self, party, amount):
        assert refused_field(party, amount) == "amount"

    def test_a_date_in_the_future_is_refused_and_today_is_not(self, company, party):
        tomorrow = today(company) + timedelta(days=1)
        assert refused_field(party, "1", payment_date=tomorrow) == "payment_date"
        assert posted_payment(party, "1", day=today(company)).pk

    def test_today_is_the_companys_own_day(self):
        """In Kiritimati it is tomorrow already while it is still yesterday in Niue."""
        east = CompanyFactory.create(time_zone="Pacific/Kiritimati")
        west = CompanyFactory.create(time_zone="Pacific/Niue")
        assert today(west) < today(east)
        assert posted_payment(new_party(east), "1", day=today(east)).pk
        assert refused_field(new_party(west), "1", payment_date=today(east)) == "payment_date"


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestTwentyCashiersAtOnce:
    def pay(self, invoice):
        party = invoice.party
        return race(*[lambda: posted_payment(party, "30", invoice=invoice)] * 20)

    def test_never_take_more_than_is_due(self, company, party):
        invoice = posted_invoice(party, "100")
        assert self.pay(invoice) == {"done": 3, "amount": 17}
        invoice.refresh_from_db()
        assert (invoice.paid, invoice.due) == (90, 10)
        assert NumberSequence.objects.get(series="PAY").next_number == 4
        assert_reconciled(company)

    def test_would_without_the_lock(self, company, party, monkeypatch):
        """The control: the test above can fail."""

        def unlocked(invoice):
            found = Invoice.objects.get(pk=invoice.pk)
            time.sleep(0.1)
            return found

        monkeypatch.setattr(payments, "lock_invoice", unlocked)
        invoice = posted_invoice(party, "100")
        self.pay(invoice)
        invoice.refresh_from_db()
        taken = sum(payment.amount for payment in Payment.objects.all())
        assert taken > 100
        assert taken != invoice.paid


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestLockOrder:
    def test_postings_that_cross_each_others_parties_do_not_wait_for_ever(self, company):
        assert self.cross(company) == {"done": 8}
        assert set(Balance.objects.values_list("current", flat=True)) == {D(40)}

    def test_they_would_if_each_locked_in_its_own_order(self, company, monkeypatch):
        """The control: the test above can fail."""

        def lock_as_they_come(*, company, party_ids):
            locked = []
            for party_id in party_ids:
                locked.append(Balance.objects.select_for_update().get(party_id=party_id))
                time.sleep(0.02)
            return locked

        monkeypatch.setattr(balances, "lock_balances", lock_as_they_come)
        assert self.cross(company, rounds=1, pairs=1)["OperationalError"]

    def cross(self, company, rounds=5, pairs=4):
        """Some post to six parties in one order, and as many in the other."""
        parties = [new_party(company, f"P{number}") for number in range(6)]
        for party in parties:
            BalanceFactory.create(party=party)

        def post(order):
            def run():
                for _ in range(rounds):
                    with transaction.atomic():
                        movements = {party.pk: Movement(invoiced=D(1)) for party in order}
                        move_balances(company=company, movements=movements)

            return run

        return race(*[post(parties), post(parties[::-1])] * pairs)

    def test_first_postings_of_new_parties_cross_as_well(self, company):
        parties = [new_party(company, f"P{number}") for number in range(6)]

        def post(order):
            def run():
                with transaction.atomic():
                    movements = {party.pk: Movement(invoiced=D(1)) for party in order}
                    move_balances(company=company, movements=movements)

            return run

        assert race(*[post(parties), post(parties[::-1])] * 4) == {"done": 8}
        assert set(Balance.objects.values_list("current", flat=True)) == {D(8)}

    def test_payments_and_invoices_of_two_parties_at_once_all_go_through(self, company):
        one, other = new_party(company, "P1"), new_party(company, "P2")
        bills = [posted_invoice(party, "100") for party in (one, other) for _ in range(5)]
        drafts = [draft_invoice(party, "7") for party in (one, other) for _ in range(5)]

        def payer(invoice):
            return lambda: posted_payment(invoice.party, "100", invoice=invoice)

        def issuer(draft):
            return lambda: issue_invoice(invoice=draft, by=None)

        outcomes = race(*map(payer, bills), *map(issuer, drafts))
        assert outcomes == {"done": 20}
        assert_reconciled(company)
        assert set(Balance.objects.values_list("current", flat=True)) == {D(35)}
