"""A recomputation that reports: what is found, and why it is so."""

from decimal import Decimal

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.db.models import F

from billing.models import Balance, BalanceDrift, Party, RecomputationChunk, Return
from billing.selectors import drift
from billing.services.invoices import void_invoice
from billing.services.payments import void_payment
from billing.services.recomputing import recompute_chunk, start_recomputation
from tests.billing.drifting import APPLY, REPORT, causes, found, recompute, shift, sound_books
from tests.billing.factories import new_party, posted_invoice, posted_payment, posted_return
from tests.factories import CompanyFactory
from worker.running import work_on

pytestmark = pytest.mark.django_db

# The constraint that says the same has to go before the balance can be made wrong.
_UNCHECKED = {
    "sqlite": ["PRAGMA ignore_check_constraints = ON"],
    "postgresql": [
        "SET CONSTRAINTS ALL IMMEDIATE",
        "ALTER TABLE billing_balance DROP CONSTRAINT balance_current_is_its_parts",
    ],
}


@pytest.fixture
def books(party):
    sound_books(party)


@pytest.fixture
def unchecked(books):
    """The books are there; from now on the database takes a balance that is wrong."""
    with connection.cursor() as cursor:
        for statement in _UNCHECKED[connection.vendor]:
            cursor.execute(statement)
    yield
    if connection.vendor == "sqlite":  # no part of the transaction that is rolled back
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


class TestAReport:
    def test_of_sound_books_finds_nothing(self, company, books):
        new_party(company, code="P2")
        run = recompute(company)
        assert (run.state, run.parties, run.drifting) == ("done", 2, 0)
        assert found(run) == []

    def test_names_each_drift_and_changes_nothing(self, company, books, party):
        shift(party, paid="3", invoiced="0.01")
        before = list(Balance.objects.values())
        entries = LogEntry.objects.count()
        run = recompute(company)
        assert [row[:4] for row in found(run)] == [
            ("P1", "invoiced", Decimal("100.010"), Decimal(100)),
            ("P1", "paid", Decimal(43), Decimal(40)),
        ]
        assert (run.drifting, run.corrected) == (1, 0)
        assert not BalanceDrift.objects.filter(is_applied=True).exists()
        assert list(Balance.objects.values()) == before
        assert LogEntry.objects.count() == entries

    def test_finds_a_balance_that_is_missing_and_counts_those_of_nothing(self, company, books):
        Balance.objects.all().delete()
        void_payment(
            payment=posted_payment(new_party(company, code="P2"), "7"), reason="Bounced", by=None
        )
        run = recompute(company)
        assert [row[:2] for row in found(run)] == [
            ("P1", "invoiced"),
            ("P1", "paid"),
            ("P1", "returned"),
        ]
        assert causes(run)[0] == "The party has documents and no balance: nothing was added up."
        assert run.unneeded == 1

    def test_looks_at_parties_that_are_off_the_lists_too(self, company, books, party):
        Party.objects.filter(pk=party.pk).update(is_active=False)
        shift(party, invoiced="1")
        assert recompute(company).drifting == 1

    def test_of_many_parties_they_are_read_a_few_at_a_time(self, company, monkeypatch):
        monkeypatch.setattr(drift, "_AT_ONCE", 2)
        several = [new_party(company, code=f"P{place}") for place in range(5)]
        for party in several:
            posted_invoice(party, "9")
            shift(party, invoiced="1")
        keys = [party.pk for party in several]
        assert [account.party_id for account in drift.drifting_of(company, keys)] == sorted(keys)

    def test_leaves_other_companies_alone(self, company, books):
        other = new_party(CompanyFactory.create())
        posted_invoice(other, "5")
        shift(other, invoiced="1")
        assert recompute(company).drifting == 0

    def test_finds_a_current_amount_that_is_not_its_parts(self, company, books, party, unchecked):
        Balance.objects.update(current=F("current") + 9)
        run = recompute(company)
        assert found(run)[0][:4] == ("P1", "current", Decimal(64), Decimal(55))
        recompute(company, APPLY)
        assert Balance.objects.get(party=party).current == 55


class TestTheCause:
    def test_is_an_invoice_that_is_missing(self, company, party):
        invoice = posted_invoice(party, "1200")
        posted_invoice(party, "30")
        shift(party, invoiced="-1200")
        said = f"Invoice {invoice} of 1,200.00 is not in the balance."
        assert causes(recompute(company)) == [said]

    def test_is_a_payment_that_counts_twice(self, company, party):
        payment = posted_payment(party, "50")
        shift(party, paid="50")
        assert causes(recompute(company)) == [f"Payment {payment} of 50.00 is counted twice."]

    def test_is_a_void_invoice_that_still_counts(self, company, party):
        invoice = posted_invoice(party, "75.50")
        posted_invoice(party, "75.50")
        void_invoice(invoice=invoice, reason="Wrong", by=None)
        shift(party, invoiced="75.50")
        said = f"Void invoice {invoice} of 75.50 is still in the balance."
        assert causes(recompute(company)) == [said]

    def test_is_a_void_payment_that_was_taken_out_twice(self, company, party):
        payment = posted_payment(party, "8")
        void_payment(payment=payment, reason="Bounced", by=None)
        shift(party, paid="-8")
        assert causes(recompute(company)) == [
            f"Void payment {payment} of 8.00 was taken out twice."
        ]

    def test_is_a_deleted_return_that_still_counts(self, company, party):
        gone = posted_return(party, "12")
        Return.objects.filter(pk=gone.pk).update(is_active=False)
        said = f"Deleted return {gone} of 12.00 is still in the balance."
        assert causes(recompute(company)) == [said]

    def test_is_said_to_be_one_of_several_where_they_are_of_the_same_amount(self, company, party):
        first, *_ = (posted_invoice(party, "10") for _ in range(3))
        shift(party, invoiced="-10")
        said = f"Invoice {first} of 10.00 is not in the balance, or one of 2 others of that amount."
        assert causes(recompute(company)) == [said]

    def test_is_two_documents_where_one_does_not_explain_it(self, company, party):
        first, second, _ = (posted_invoice(party, price) for price in ("10", "25", "70"))
        shift(party, invoiced="-35")
        said = f"Invoice {first} of 10.00 and invoice {second} of 25.00 are not in the balance."
        assert causes(recompute(company)) == [said]

    def test_is_no_guess_where_several_pairs_would_explain_it(self, company, party):
        for price in ("10", "25", "5", "30"):
            posted_invoice(party, price)
        shift(party, invoiced="-35")
        [said] = causes(recompute(company))
        assert said.startswith("No single document explains the difference of 35.00. Several pairs")

    def test_is_left_open_where_nothing_explains_it(self, company, party):
        posted_invoice(party, "10")
        shift(party, invoiced="0.07")
        assert causes(recompute(company)) == ["No single document explains the difference of 0.07."]

    def test_is_looked_for_in_a_few_queries_however_many_parties(
        self, company, django_assert_max_num_queries
    ):
        for number in range(12):
            party = new_party(company, code=f"Q{number}")
            posted_invoice(party, "10")
            shift(party, invoiced="-10")
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        with django_assert_max_num_queries(20):
            work_on(RecomputationChunk, run.chunks.get().pk, recompute_chunk)
        assert len(found(run)) == 12
