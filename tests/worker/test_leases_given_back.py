"""What each way to give a lease back leaves on the row, to the last column."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from documents.models import Document, DocumentState
from tests.factories import DocumentFactory
from worker.leasing import LeasedWork, back_off, default_max_attempts, leased_models

pytestmark = pytest.mark.django_db
FILE = {"storage_key": "a/b", "sha256": "0" * 64, "size": 1, "pages": 1}
LATER = timezone.now() + timedelta(hours=5)


def claimed(**options):
    """Published, queued since an hour, once tried in vain, and now claimed."""
    an_hour_ago = timezone.now() - timedelta(hours=1)
    options = {"attempts": 1, "next_attempt_at": an_hour_ago, **options}
    document = DocumentFactory.create(published_at=an_hour_ago, **options)
    return Document.claim(document.pk)


def row(document):
    return Document._base_manager.get(pk=document.pk)


def now():
    return Document._base_manager.annotate(now=Now()).values_list("now", flat=True).first()


def about(moment, expected):
    return abs(moment - expected) < timedelta(seconds=30)


@pytest.mark.parametrize(
    "give_back",
    [
        lambda work: work.finish(**FILE),
        lambda work: work.fail(reason="No.", retry=True),
        lambda work: work.fail(reason="No.", retry=False),
        lambda work: work.release(),
        lambda work: work.proceed(),
        lambda work: work.put_off(LATER),
    ],
    ids=["finish", "fail and retry", "fail for good", "release", "proceed", "put off"],
)
def test_no_token_and_no_lease_stay_behind(give_back):
    work = claimed()
    assert give_back(work)
    assert (row(work).token, row(work).lease_expires_at) == (None, None)


@pytest.mark.parametrize(
    ("give_back", "attempts"),
    [
        (lambda work: work.fail(reason="No.", retry=True), 2),
        (lambda work: work.release(), 1),
        (lambda work: work.proceed(), 0),
        (lambda work: work.put_off(LATER), 1),
    ],
    ids=["fail and retry", "release", "proceed", "put off"],
)
def test_what_waits_again_counts_as_unpublished_with_its_attempts(give_back, attempts):
    work = claimed()
    give_back(work)
    found = row(work)
    assert (found.state, found.attempts) == (DocumentState.QUEUED, attempts)
    assert found.published_at is None
    assert found.finished_at is None


def test_a_renewed_lease_ends_a_whole_lease_from_now_and_takes_fields_along(settings):
    settings.WORK_LEASE = timedelta(minutes=7)
    work = claimed()
    Document._base_manager.filter(pk=work.pk).update(lease_expires_at=Now())
    assert work.renew(pages=3)
    assert about(row(work).lease_expires_at, now() + timedelta(minutes=7))
    assert row(work).pages == 3
    assert row(work).state == DocumentState.RUNNING


def test_released_work_keeps_its_place_and_what_proceeds_is_due_at_once():
    work = claimed()
    due_since = work.next_attempt_at
    work.release()
    assert row(work).next_attempt_at == due_since
    work = claimed()
    work.proceed(pages=4)
    assert about(row(work).next_attempt_at, now())
    assert row(work).pages == 4


def test_what_is_put_off_waits_until_then():
    work = claimed()
    work.put_off(LATER, pages=5)
    assert (row(work).next_attempt_at, row(work).pages) == (LATER, 5)
    assert Document.claim(work.pk) is None


def test_a_failure_that_is_tried_again_waits_by_its_attempts():
    work = claimed(attempts=1, max_attempts=3)
    work.fail(reason="Not now.", detail="trace", retry=True)
    found = row(work)
    assert about(found.next_attempt_at, now() + back_off(2))
    assert (found.failure, found.failure_detail) == ("Not now.", "trace")


@pytest.mark.parametrize("options", [{"retry": False}, {"retry": True}])
def test_a_failure_for_good_has_its_reason_and_its_end(options):
    work = claimed(attempts=2, max_attempts=3)
    work.fail(reason="Never.", detail="trace", **options)
    found = row(work)
    assert (found.state, found.failure, found.failure_detail) == ("failed", "Never.", "trace")
    assert about(found.finished_at, now())


@pytest.mark.parametrize("retry", [True, False])
def test_a_failure_without_details_has_none(retry):
    work = claimed(failure_detail="of the last time")
    work.fail(reason="No.", retry=retry)
    assert row(work).failure_detail == ""


def test_what_is_due_comes_in_its_turn_and_within_a_turn_by_age():
    now_ = timezone.now()
    places = [(2, 3), (1, 1), (2, 2), (1, 4)]  # (turn, minutes old)
    for turn, age in places:
        DocumentFactory.create(turn=turn, created_at=now_ - timedelta(minutes=age))
    found = [(work.turn, round((now_ - work.created_at).seconds / 60)) for work in Document.due()]
    assert found == [(1, 4), (1, 1), (2, 3), (2, 2)]


def test_a_claim_says_who_has_it_since_when():
    work = claimed()
    assert work.claimed_by.rpartition(":")[0]
    assert work.claimed_by.rpartition(":")[2].isdigit()
    assert about(work.started_at, now())


def test_every_new_work_has_the_attempts_of_the_settings(settings):
    settings.WORK_MAX_ATTEMPTS = "7"
    assert default_max_attempts() == 7
    assert DocumentFactory.create().max_attempts == 7


def test_what_failed_is_an_open_failure_and_nothing_else_is():
    failed = DocumentFactory.create(failed=True)
    DocumentFactory.create(ready=True)
    DocumentFactory.create()
    assert [work.pk for work in super(Document, Document).open_failures()] == [failed.pk]


def test_work_that_may_be_done_twice_has_nothing_to_settle():
    claimed(lease_expires_at=timezone.now() - timedelta(days=1))
    assert Document.settle_lost() == 0


def test_every_kind_of_leased_work_is_known():
    kinds = leased_models()
    assert Document in kinds
    assert LeasedWork not in kinds
    assert len(kinds) > 5
    assert all(kind.task_name for kind in kinds)
