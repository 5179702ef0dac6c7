"""A recomputation that corrects: what it puts right, what it says, what it leaves."""

import datetime

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
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
from billing.services.recomputing import recompute_chunk, start_recomputation
from tests.billing.books import assert_reconciled
from tests.billing.drifting import APPLY, causes, found, recompute, shift, sound_books
from tests.billing.factories import new_party, posted_invoice
from tests.factories import CompanyFactory, UserFactory
from worker.leasing import WorkState
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(party):
    sound_books(party)


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
        run = recompute(company, APPLY, corrects=report)
        assert [(row[0], row[1]) for row in found(run)] == [("P1", "paid")]
        assert [row[0] for row in found(recompute(company))] == ["P2"]

    def test_what_was_put_right_meanwhile_is_left_alone(self, company, books, party):
        shift(party, paid="3")
        report = recompute(company)
        shift(party, paid="-3")
        run = recompute(company, APPLY, corrects=report)
        assert (run.state, run.drifting, run.corrected) == ("done", 0, 0)

    def test_makes_the_balance_that_is_missing(self, company, books, party):
        Balance.objects.all().delete()
        run = recompute(company, APPLY)
        assert run.corrected == 1
        assert Balance.objects.get(party=party).current == 55
        assert "no balance" in causes(run)[0]

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
        RecomputationChunk.objects.update(state=WorkState.QUEUED)  # its end was not recorded
        work_on(RecomputationChunk, run.chunks.get().pk, recompute_chunk)
        assert len(found(run)) == 1
        assert run.chunks.get().corrected == 1
        assert LogEntry.objects.count() == entries

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
