"""A claim is one conditional UPDATE; who has lost the lease can't change the row any more."""

import socket
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from documents.models import Document, DocumentState
from tests.factories import DocumentFactory
from tests.worker.racing import start, wait_until_blocked
from worker.dispatching import sweep_leases
from worker.leasing import back_off

pytestmark = pytest.mark.django_db
FILE = {"storage_key": "a/b", "sha256": "0" * 64, "size": 1, "pages": 1}
RESULTS = [
    pytest.param(lambda work: work.renew(), id="renew"),
    pytest.param(lambda work: work.finish(**FILE), id="finish"),
    pytest.param(lambda work: work.fail(reason="No.", retry=True), id="fail and retry"),
    pytest.param(lambda work: work.fail(reason="No.", retry=False), id="fail for good"),
    pytest.param(lambda work: work.release(), id="release"),
]


def row(document):
    return Document._base_manager.filter(pk=document.pk).values().get()


def let_the_lease_run_out(document):
    Document._base_manager.filter(pk=document.pk).update(lease_expires_at=Now() - timedelta(1))


def make_due(document):
    Document._base_manager.filter(pk=document.pk).update(next_attempt_at=Now())


def test_a_claim_counts_the_attempt_and_takes_a_lease_and_a_token(settings):
    document = DocumentFactory.create()
    claimed = Document.claim(document.pk)
    assert (claimed.state, claimed.attempts) == (DocumentState.RUNNING, 1)
    assert claimed.token is not None
    assert claimed.lease_expires_at - claimed.started_at == settings.WORK_LEASE


def test_a_host_of_a_very_long_name_claims_too(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 255)
    assert Document.claim(DocumentFactory.create().pk).claimed_by == "h" * 100


def test_what_is_claimed_cannot_be_claimed_again():
    document = DocumentFactory.create()
    Document.claim(document.pk)
    before = row(document)
    assert Document.claim(document.pk) is None
    assert row(document) == before


@pytest.mark.parametrize("state", ["ready", "failed"])
def test_what_is_final_cannot_be_claimed(state):
    document = DocumentFactory.create(**{state: True})
    before = row(document)
    assert Document.claim(document.pk) is None
    assert row(document) == before


@pytest.mark.parametrize(
    "why",
    [
        {"state": "cancelled"},
        {"held": True},
        {"next_attempt_at": timezone.now() + timedelta(days=1)},
        {"attempts": 3, "max_attempts": 3},
    ],
    ids=["cancelled", "held", "not due yet", "no attempt left"],
)
def test_a_claim_leaves_alone(why):
    document = DocumentFactory.create(**why)
    assert Document.claim(document.pk) is None
    assert row(document)["attempts"] == document.attempts


def test_released_after_a_pause_it_can_be_claimed():
    document = DocumentFactory.create(held=True)
    Document._base_manager.filter(pk=document.pk).update(held=False)
    assert Document.claim(document.pk) is not None


@pytest.mark.servers
def test_of_one_turn_the_older_comes_first():
    """Also where the rows are not read by the index, which has them in this order anyway."""
    first, second = DocumentFactory.create(), DocumentFactory.create()
    Document._base_manager.filter(pk=second.pk).update(created_at=Now() - timedelta(hours=1))
    Document._base_manager.update(turn=3)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    assert list(Document.due()) == [second, first]


def race_for(document):
    """Two claims that reach the row at the same moment: both wait there for its lock."""
    with transaction.atomic():
        Document._base_manager.select_for_update().get(pk=document.pk)
        results = start(*[lambda: Document.claim(document.pk)] * 2)
        wait_until_blocked(2)
    return results()


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_of_two_claimers_at_once_one_wins():
    document = DocumentFactory.create()
    winners = [claimed for claimed in race_for(document) if claimed is not None]
    assert [winner.pk for winner in winners] == [document.pk]
    assert row(document)["attempts"] == 1
    assert row(document)["token"] == winners[0].token


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_control_without_the_condition_both_claimers_would_take_the_row(monkeypatch):
    document = DocumentFactory.create()
    monkeypatch.setattr(Document, "due", classmethod(lambda cls: cls._base_manager.all()))
    assert None not in race_for(document)
    assert row(document)["attempts"] == 2


@pytest.mark.parametrize("record", RESULTS)
def test_the_holder_can(record):
    document = DocumentFactory.create()
    assert record(Document.claim(document.pk)) is True


@pytest.mark.parametrize("record", RESULTS)
def test_an_old_token_changes_nothing_once_a_successor_runs(record):
    document = DocumentFactory.create()
    first = Document.claim(document.pk)
    let_the_lease_run_out(document)
    assert sweep_leases(Document) == 1
    successor = Document.claim(document.pk)
    before = row(document)
    assert record(first) is False
    assert row(document) == before
    assert successor.finish(**FILE) is True


@pytest.mark.parametrize("record", RESULTS)
def test_an_old_token_changes_nothing_between_the_sweep_and_the_next_claim(record):
    document = DocumentFactory.create()
    first = Document.claim(document.pk)
    let_the_lease_run_out(document)
    sweep_leases(Document)
    before = row(document)
    assert record(first) is False
    assert row(document) == before


@pytest.mark.parametrize("record", RESULTS)
def test_the_successors_result_stands(record):
    document = DocumentFactory.create()
    first = Document.claim(document.pk)
    let_the_lease_run_out(document)
    sweep_leases(Document)
    Document.claim(document.pk).finish(**FILE)
    assert record(first) is False
    assert row(document)["state"] == DocumentState.READY


def test_a_renewed_lease_is_not_swept():
    document = DocumentFactory.create()
    claimed = Document.claim(document.pk)
    let_the_lease_run_out(document)
    assert claimed.renew()
    assert sweep_leases(Document) == 0
    assert row(document)["state"] == DocumentState.RUNNING


def test_finished_work_carries_no_lease_and_no_old_failure():
    document = DocumentFactory.create(failure="The last time it failed.", failure_detail="x")
    Document.claim(document.pk).finish(**FILE)
    found = row(document)
    assert (found["token"], found["lease_expires_at"]) == (None, None)
    assert (found["failure"], found["failure_detail"]) == ("", "")
    assert found["finished_at"] is not None


def test_a_failure_waits_longer_each_time_and_stops_after_the_last_attempt():
    document = DocumentFactory.create(max_attempts=3)
    waits = []
    for attempt in (1, 2, 3):
        claimed = Document.claim(document.pk)
        assert claimed.attempts == attempt
        assert claimed.fail(reason="Not this time.", detail="d", retry=True)
        found = row(document)
        waits.append(round((found["next_attempt_at"] - claimed.started_at).total_seconds()))
        make_due(document)
    assert waits[:2] == [2, 8]
    assert (found["state"], found["failure"]) == (DocumentState.FAILED, "Not this time.")
    assert found["finished_at"] is not None
    assert Document.claim(document.pk) is None


def test_a_failure_is_not_claimed_before_its_time():
    document = DocumentFactory.create()
    Document.claim(document.pk).fail(reason="Not this time.", retry=True)
    assert Document.claim(document.pk) is None
    make_due(document)
    assert Document.claim(document.pk) is not None


def test_waits_between_attempts_grow_up_to_ten_minutes():
    waits = [back_off(attempt).total_seconds() for attempt in range(1, 8)]
    assert waits == [2, 8, 32, 128, 512, 600, 600]


def test_released_work_has_its_attempt_back_and_can_be_claimed_at_once():
    document = DocumentFactory.create()
    assert Document.claim(document.pk).release()
    found = row(document)
    assert (found["state"], found["attempts"]) == (DocumentState.QUEUED, 0)
    assert found["published_at"] is None
    assert Document.claim(document.pk).attempts == 1


def test_a_claim_that_is_rolled_back_never_was():
    document = DocumentFactory.create()
    with transaction.atomic():
        Document.claim(document.pk)
        transaction.set_rollback(True)
    assert row(document)["attempts"] == 0


def test_times_are_the_databases(settings, monkeypatch):
    """A worker whose clock is a day fast takes no longer lease than the others."""
    fast = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: fast)
    document = DocumentFactory.create()
    assert Document.claim(document.pk).lease_expires_at < fast - timedelta(hours=23)


def test_a_claim_is_one_statement_that_gives_back_the_row(django_assert_num_queries):
    document = DocumentFactory.create()
    with django_assert_num_queries(1) as queries:
        claimed = Document.claim(document.pk)
    assert queries.captured_queries[0]["sql"].startswith("UPDATE")
    there = Document._base_manager.get(pk=document.pk)
    for field in Document._meta.concrete_fields:
        assert getattr(claimed, field.attname) == getattr(there, field.attname), field.name
    assert connection.in_atomic_block  # of the test itself: the claim opens none
