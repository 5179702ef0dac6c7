"""Corrections while clerks post: no posting is lost, and none in flight is taken for a drift."""

import threading

import pytest
from django.db import connection

from billing.models import BalanceDrift, Party, Recomputation, RecomputationChunk
from billing.services import correcting
from billing.services.payments import void_payment
from billing.services.recomputing import start_recomputation
from billing.services.retrying import retry_transient
from tests.billing.books import assert_reconciled, race
from tests.billing.drifting import APPLY, REPORT, causes, recompute, shift
from tests.billing.factories import new_party, posted_invoice, posted_payment

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def parties(company) -> list[Party]:
    """With a balance each, which can be falsified from the start."""
    made = [new_party(company, code=f"Q{number}") for number in range(3)]
    for party in made:
        posted_invoice(party, "1")
    return made


def elsewhere(act) -> None:
    """On a connection of its own, and over when this returns."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def test_clerks_post_while_corrections_run_in_a_loop(company, parties):
    """Somebody falsifies balances all the while, so that there is always something to correct."""
    all_posted, over = threading.Barrier(3), threading.Event()

    def clerk(seed: int) -> None:
        for turn in range(12):
            party = parties[(seed + turn) % 3]
            retry_transient(lambda party=party: posted_invoice(party, "10"), 9)
            payment = retry_transient(lambda party=party: posted_payment(party, "3"), 9)
            if turn % 3 == 0:
                retry_transient(
                    lambda payment=payment: void_payment(payment=payment, reason="No", by=None), 9
                )
        all_posted.wait(60)
        over.set()

    def vandal() -> None:
        for turn in range(25):
            shift(parties[turn % 3], invoiced="5", paid="-2")
        all_posted.wait(60)

    def corrector() -> None:
        last = False
        while not last:
            last = over.is_set()
            recompute(company, APPLY)

    outcomes = race(lambda: clerk(0), lambda: clerk(1), vandal, corrector)
    assert outcomes == {"done": 4}
    assert_reconciled(company)
    assert Recomputation.objects.filter(corrected__gt=0).exists()
    assert not Recomputation.objects.exclude(state="done").exists()


@pytest.fixture
def posting_in_between(monkeypatch, parties):
    """A payment is posted after the comparison and before the correction."""
    shift_party = parties[0]

    def late(action, tries):
        elsewhere(lambda: posted_payment(shift_party, "7"))
        return retry_transient(action, tries)

    monkeypatch.setattr(correcting, "retry_transient", late)


def test_a_posting_between_comparison_and_correction_is_kept(company, parties, posting_in_between):
    posted_invoice(parties[0], "100")
    shift(parties[0], invoiced="5")
    run = recompute(company, APPLY)
    assert run.corrected == 1
    assert_reconciled(company)


def test_a_balance_that_moved_is_never_overwritten(
    company, parties, posting_in_between, monkeypatch
):
    """Without the second comparison, compare-and-set alone refuses."""
    monkeypatch.setattr(correcting, "_compared_again", lambda company, found: found)
    posted_invoice(parties[0], "100")
    shift(parties[0], invoiced="5")
    run = recompute(company, APPLY)
    assert (run.drifting, run.corrected) == (1, 0)
    monkeypatch.undo()
    recompute(company, APPLY)
    assert_reconciled(company)


def test_control_without_compare_and_set_the_posting_is_lost(
    company, parties, posting_in_between, monkeypatch
):
    monkeypatch.setattr(correcting, "_compared_again", lambda company, found: found)
    monkeypatch.setattr(correcting, "_is_as_compared", lambda balance, account: True)
    posted_invoice(parties[0], "100")
    shift(parties[0], invoiced="5")
    recompute(company, APPLY)
    with pytest.raises(AssertionError):
        assert_reconciled(company)


def test_reports_never_take_a_posting_in_flight_for_a_drift(company, parties):
    over = threading.Event()

    def clerk() -> None:
        for turn in range(15):
            posted_invoice(parties[turn % 3], "10")
            posted_payment(parties[turn % 3], "3")
        over.set()

    def reporter() -> None:
        while not over.is_set():
            recompute(company, REPORT)

    assert race(clerk, reporter) == {"done": 2}
    assert Recomputation.objects.count() > 1
    assert not BalanceDrift.objects.exists()


def test_the_cause_is_read_at_the_same_moment_as_the_drift(company, parties, monkeypatch):
    """A posting after the comparison is no candidate: the report is of one moment."""
    posted_invoice(parties[0], "10")
    shift(parties[0], invoiced="-7")
    inner = correcting.drifting_between

    def and_then_a_posting(*args):
        found = inner(*args)
        elsewhere(lambda: posted_invoice(parties[0], "7"))
        return found

    monkeypatch.setattr(correcting, "drifting_between", and_then_a_posting)
    run = recompute(company, REPORT)
    assert causes(run) == ["No single document explains the difference of 7.00."]


def test_two_presses_at_once_are_one_run(company, parties):
    began = []

    def press() -> None:
        began.append(start_recomputation(company=company, mode=REPORT, by=None))

    assert race(*[press] * 4) == {"done": 4}
    assert sum(each.is_new for each in began) == 1
    assert len({each.run.pk for each in began}) == 1
    assert RecomputationChunk.objects.count() == 1
