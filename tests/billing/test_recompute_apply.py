"""A recomputation that corrects: what it puts right, what it says, what it leaves."""

import datetime
from unittest.mock import ANY

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.db.models import F

from billing.models import (
    Balance,
    BalanceDrift,
    Invoice,
    Payment,
    Recomputation,
    RecomputationChunk,
    Return,
)
from billing.services import correcting, recomputing
from billing.services.payments import void_payment
from billing.services.recomputing import finish_here, recompute_chunk, start_recomputation
from tests.billing.books import assert_reconciled
from tests.billing.drifting import APPLY, causes, found, recompute, shift, sound_books
from tests.billing.factories import new_party, posted_invoice, posted_payment
from tests.factories import CompanyFactory, UserFactory
from worker.leasing import WorkState
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(party):
    sound_books(party)


def by_id(party):
    return party.pk


def do_again(run):
    """As where the end of its only chunk was not recorded."""
    Recomputation.objects.update(state="running", finished_at=None)
    RecomputationChunk.objects.update(state=WorkState.QUEUED)
    chunk = run.chunks.get()
    work_on(RecomputationChunk, chunk.pk, recompute_chunk)
    chunk.refresh_from_db()
    assert chunk.state == WorkState.DONE


class TestApplying:
    def test_puts_the_balances_right_and_says_so_in_the_trail(self, company, books, party):
        by = UserFactory.create()
        shift(party, paid="3")
        run = recompute(company, APPLY, by=by)
        assert (run.drifting, run.corrected) == (1, 1)
        assert_reconciled(company)
        entry = LogEntry.objects.get_for_object(Balance.objects.get(party=party)).latest("pk")
        assert entry.actor == by
        assert entry.changes == {
            "paid": ["43.00", "40.00"],
            "current": ["52.00", "55.00"],
            "because_of": ["", "Recomputation 1"],
        }
        assert recompute(company).drifting == 0

    def test_a_report_corrects_what_drifts_in_it_and_nothing_else(self, company, books, party):
        other = new_party(company, code="P2")
        posted_invoice(other, "9")
        shift(party, paid="3")
        report = recompute(company)
        shift(other, invoiced="1")
        assert recompute(company).drifting == 2  # another report, of both
        run = recompute(company, APPLY, corrects=report)
        assert [(row[0], row[1]) for row in found(run)] == [("P1", "paid")]
        assert [row[0] for row in found(recompute(company))] == ["P2"]

    @pytest.mark.parametrize("first", [0, 1])
    def test_a_chunk_corrects_its_own_parties_of_the_report(self, company, monkeypatch, first):
        monkeypatch.setattr(recomputing, "CHUNK", 1)
        parties = sorted((new_party(company, code=f"P{place}") for place in range(2)), key=by_id)
        for party in parties:
            posted_invoice(party, "9")
            shift(party, invoiced="1")
        report = recompute(company)
        run = start_recomputation(company=company, mode=APPLY, by=None, corrects=report).run
        chunk = run.chunks.get(position=first)
        work_on(RecomputationChunk, chunk.pk, recompute_chunk)
        assert found(run) == [(parties[first].code, "invoiced", 10, 9, ANY)]
        finish_here(run)
        assert_reconciled(company)

    def test_what_was_put_right_meanwhile_is_left_alone(self, company, books, party):
        shift(party, paid="3")
        report = recompute(company)
        shift(party, paid="-3")
        run = recompute(company, APPLY, corrects=report)
        assert (run.state, run.drifting, run.corrected) == ("done", 0, 0)

    def test_the_trail_has_amounts_as_the_companys_currency_has_them(self, company, party):
        company.currency = "KWD"
        company.save()
        posted_invoice(party, "100.125")
        shift(party, invoiced="3")
        recompute(company, APPLY)
        entry = LogEntry.objects.get_for_object(Balance.objects.get(party=party)).latest("pk")
        assert entry.changes["invoiced"] == ["103.125", "100.125"]

    def test_makes_the_balance_that_is_missing(self, company, books, party):
        by = UserFactory.create()
        Balance.objects.all().delete()
        run = recompute(company, APPLY, by=by)
        assert run.corrected == 1
        balance = Balance.objects.get(party=party)
        assert balance.current == 55
        assert "no balance" in causes(run)[0]
        assert LogEntry.objects.get_for_object(balance).get().actor == by

    def test_counts_each_balance_of_nothing_of_its_own_company_once(self, company, monkeypatch):
        monkeypatch.setattr(recomputing, "CHUNK", 1)
        for owner, code in ((company, "P1"), (company, "P2"), (CompanyFactory.create(), "P1")):
            payment = posted_payment(new_party(owner, code=code), "7")
            void_payment(payment=payment, reason="Bounced", by=None)
        assert recompute(company, APPLY).unneeded == 2

    def test_keeps_the_opening_balance(self, company, books, party):
        Balance.objects.update(
            opening=200, opening_date=datetime.date(2026, 1, 1), current=F("current") + 200
        )
        shift(party, invoiced="4")
        recompute(company, APPLY)
        balance = Balance.objects.get(party=party)
        assert (balance.opening, balance.current) == (200, 255)

    def test_closed_books_stay_closed_and_do_not_hinder_it(self, company, books, party):
        company.books_closed_until = datetime.date(2026, 10, 31)
        company.save()
        shift(party, invoiced="4")
        documents = [list(model.objects.values()) for model in (Invoice, Payment, Return)]
        recompute(company, APPLY)
        assert_reconciled(company)
        assert [list(model.objects.values()) for model in (Invoice, Payment, Return)] == documents

    def test_a_balance_of_another_company_is_told_and_not_touched(self, company, books, party):
        stranger = CompanyFactory.create()
        Balance.objects.filter(party=party).update(company=stranger)
        run = recompute(company, APPLY)
        assert (run.drifting, run.corrected) == (1, 0)
        assert not BalanceDrift.objects.filter(is_applied=True).exists()

    def test_done_a_second_time_it_writes_nothing_twice(self, company, books, party):
        shift(party, paid="3")
        run = recompute(company, APPLY)
        entries = LogEntry.objects.count()
        do_again(run)
        assert len(found(run)) == 1
        assert run.chunks.get().corrected == 1
        assert LogEntry.objects.count() == entries

    def test_what_drifted_anew_before_it_is_done_a_second_time_is_told_as_it_is_now(
        self, company, books, party
    ):
        shift(party, paid="3")
        run = recompute(company, APPLY)
        shift(party, paid="2")
        do_again(run)
        assert [row[1] for row in found(run)] == ["paid"]
        assert_reconciled(company)

    def test_balances_are_locked_a_few_at_a_time(self, company, monkeypatch):
        several = [new_party(company, code=f"P{place}") for place in range(5)]
        for party in several:
            posted_invoice(party, "9")
            shift(party, invoiced="1")
        locked = []
        correct = correcting._correct
        monkeypatch.setattr(correcting, "_AT_ONCE", 2)
        monkeypatch.setattr(
            correcting, "_correct", lambda *given: (locked.append(len(given[2])), correct(*given))
        )
        assert recompute(company, APPLY).corrected == 5
        assert locked == [2, 2, 1]
        assert_reconciled(company)

    @pytest.mark.django_db(transaction=True)
    def test_what_the_database_refuses_for_a_moment_is_tried_five_times(
        self, company, books, party, monkeypatch
    ):
        shift(party, paid="3")
        refusals = iter([OperationalError("database is locked")] * 4)
        correct = correcting._correct

        def refused_at_first(*given):
            for refusal in refusals:
                raise refusal
            correct(*given)

        monkeypatch.setattr(correcting, "_correct", refused_at_first)
        assert recompute(company, APPLY).corrected == 1
        assert_reconciled(company)

    @pytest.mark.parametrize("state", ["running", "failed", "cancelled"])
    def test_only_a_finished_report_can_be_applied(self, company, books, party, state):
        shift(party, paid="3")
        report = recompute(company)
        Recomputation.objects.update(state=state)
        report.refresh_from_db()
        with pytest.raises(ValidationError, match="finished report"):
            start_recomputation(company=company, mode=APPLY, by=None, corrects=report)

    def test_a_report_without_a_drift_is_not_applied(self, company, books):
        with pytest.raises(ValidationError, match="nothing to correct"):
            start_recomputation(company=company, mode=APPLY, by=None, corrects=recompute(company))
