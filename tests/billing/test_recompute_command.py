"""`recompute_balances`: what it says, what it changes, and how it ends."""

import io

import pytest
from django.core.management import CommandError, call_command

from billing.management.commands import recompute_balances
from billing.models import Balance, Recomputation, RecomputationMode
from billing.services.recomputing import (
    cancel_recomputation,
    finish_here,
    start_recomputation,
)
from tests.billing.books import assert_reconciled
from tests.billing.drifting import shift, sound_books
from tests.billing.factories import new_party, posted_invoice
from tests.factories import CompanyFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    """(exit code, what it said)."""
    out = io.StringIO()
    try:
        call_command("recompute_balances", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def books(party):
    sound_books(party)


def test_books_that_reconcile_end_with_0(company, books):
    code, said = run("--company", company.slug)
    assert code == 0
    assert "northgate: 1 parties compared: every balance is right." in said


def test_a_drift_is_named_and_left_and_ends_with_1(company, books, party):
    shift(party, paid="3")
    code, said = run("--report")
    assert code == 1
    assert "northgate P1: paid is 43.00, its documents come to 40.00. No single document" in said
    assert Balance.objects.get(party=party).paid == 43


def test_apply_corrects_and_ends_with_0(company, books, party):
    shift(party, paid="3")
    code, said = run("--apply")
    assert code == 0
    assert "northgate P1: paid was 43.00" in said
    assert "1 drift, 1 corrected" in said
    assert_reconciled(company)


def test_one_company_or_all_of_them(company, books):
    other = CompanyFactory.create(slug="other")
    posted_invoice(new_party(other), "5")
    assert "other:" not in run("--company", "northgate")[1]
    said = run()[1]
    assert "northgate:" in said
    assert "other:" in said


def test_one_that_is_open_is_finished_before_ones_own(company, books, party):
    shift(party, paid="3")
    open_ = start_recomputation(company=company, mode=RecomputationMode.REPORT, by=None).run
    code, said = run("--apply")
    assert code == 0
    assert "Recomputation 1 was open, and is over now." in said
    open_.refresh_from_db()
    assert (open_.state, open_.drifting) == ("done", 1)
    assert Recomputation.objects.get(number=2).corrected == 1


def test_one_that_somebody_cancels_meanwhile_ends_with_2(company, books, monkeypatch):
    def cancelled_first(run, watch):
        cancel_recomputation(run=run)
        finish_here(run, watch)

    monkeypatch.setattr(recompute_balances, "finish_here", cancelled_first)
    code, said = run("--company", company.slug)
    assert code == 2
    assert "northgate: Recomputation 1 is cancelled." in said


def test_ctrl_c_leaves_it_to_the_workers(company, books, monkeypatch):
    def ctrl_c(run, watch):
        raise KeyboardInterrupt

    monkeypatch.setattr(recompute_balances, "finish_here", ctrl_c)
    assert run("--company", company.slug)[0] == 130
    assert Recomputation.objects.get().is_final is False


def test_an_unknown_company_is_named_and_ends_with_2(db):
    with pytest.raises(CommandError, match="'nobody'") as raised:
        call_command("recompute_balances", company="nobody")
    assert raised.value.returncode == 2


def test_both_modes_at_once_are_refused(db):
    with pytest.raises(CommandError, match="not allowed"):
        call_command("recompute_balances", "--apply", "--report")
