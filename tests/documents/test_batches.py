"""Runs: one job plans all rows or none, turns are fair, and the sweep closes what is finished."""

import pytest
from auditlog.models import LogEntry
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from documents import papers
from documents.models import Batch, BatchItem, BatchJob, BatchState, Document
from documents.papers import RunKind
from documents.services import batches
from documents.services.batches import close_finished_batches, start_batch
from documents.tasks import run_batch_job
from tests.factories import BatchFactory, BatchItemFactory, CompanyFactory, member
from tests.worker.faults import kinds
from tests.worker.messages import waiting
from tests.worker.racing import at_once
from worker.dispatching import dispatch_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _faulty_kinds(monkeypatch, queues):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)


def started(title="Run", count=3, company=None, by=None, **parameters):
    return start_batch(
        company=company or CompanyFactory.create(),
        kind="faulty",
        title=title,
        parameters={"count": count, **parameters},
        by=by,
    )


def plan(batch):
    return run_batch_job(str(batch.jobs.get().pk))


def planned(*args, **options):
    batch = started(*args, **options)
    assert plan(batch) == "done"
    batch.refresh_from_db()
    return batch


def finish(batch, count=None, state="failed"):
    rows = Document.objects.filter(batch_items__batch=batch, state="queued").order_by("turn")
    Document.objects.filter(pk__in=[row.pk for row in rows[:count]]).update(
        state=state, failure="For a test."
    )


def test_a_run_is_a_row_and_a_job_and_a_nudge(queues):
    batch = started()
    job = batch.jobs.get()
    assert (batch.state, job.state) == (BatchState.PLANNING, "queued")
    assert waiting(queues, "batch") == [str(job.pk)]
    assert not batch.items.exists()


def test_a_plan_is_one_row_a_party_with_a_paper_or_a_reason():
    batch = planned(count=5, skipped=[1, 3])
    rows = batch.items.order_by("position").values_list("position", "code", "skipped_reason")
    assert list(rows) == [
        (0, "000", ""),
        (1, "001", "Nothing to tell."),
        (2, "002", ""),
        (3, "003", "Nothing to tell."),
        (4, "004", ""),
    ]
    assert batch.items.filter(document=None).count() == 2
    assert batch.state == BatchState.RUNNING
    assert batch.planned_at is not None


def test_each_row_has_its_own_partys_paper():
    batch = planned(count=8, skipped=[0, 5])
    for item in batch.items.exclude(document=None).select_related("document"):
        assert item.document.subject_id == item.subject_id
        assert item.document.recipient_code == item.code


def test_a_plan_of_more_than_one_chunk_keeps_its_order(monkeypatch):
    monkeypatch.setattr(batches, "_CHUNK", 4)
    batch = planned(count=10, skipped=[2])
    assert [item.code for item in batch.items.order_by("position")] == [
        f"{number:03}" for number in range(10)
    ]
    turns = Document.objects.order_by("recipient_code").values_list("turn", flat=True)
    assert list(turns) == sorted(turns)


def test_a_job_that_comes_twice_plans_once():
    batch = planned()
    assert plan(batch) == "nothing to claim"
    assert BatchItem.objects.count() == 3


def test_a_plan_that_was_committed_is_not_made_again_when_its_job_was_not_finished():
    """The worker died between the two transactions."""
    batch = planned()
    BatchJob.objects.update(state="queued", finished_at=None)
    assert plan(batch) == "done"
    assert BatchItem.objects.count() == 3


@pytest.mark.parametrize("error", [DatabaseError("gone"), OperationalError("too slow")])
def test_a_plan_that_breaks_off_leaves_no_row_and_is_tried_again(monkeypatch, error):
    def broken(batch):
        yield from list(kinds.plan(batch))[:2]
        raise error

    monkeypatch.setattr(batches, "_CHUNK", 1)
    batch = started()
    with monkeypatch.context() as patched:
        patched.setitem(papers._registry.runs, "faulty", RunKind("faulty", "Faulty", broken))
        assert plan(batch) == "failed"
    assert BatchJob.objects.get().attempts == 1
    assert (BatchItem.objects.count(), Document.objects.count()) == (0, 0)
    BatchJob.objects.update(next_attempt_at=batch.created_at)
    assert plan(batch) == "done"
    assert BatchItem.objects.count() == 3


def test_a_run_cancelled_before_its_plan_makes_nothing():
    batch = started()
    Batch.objects.update(state=BatchState.CANCELLED)
    plan(batch)
    assert not Document.objects.exists()
    batch.refresh_from_db()
    assert batch.state == BatchState.CANCELLED


def test_a_run_cancelled_while_it_is_planned_makes_nothing(monkeypatch):
    def cancelled_meanwhile(batch):
        yield from kinds.plan(batch)
        Batch.objects.update(state=BatchState.CANCELLED)

    monkeypatch.setitem(
        papers._registry.runs, "faulty", RunKind("faulty", "Faulty", cancelled_meanwhile)
    )
    batch = started()
    assert plan(batch) == "failed"
    assert not Document.objects.exists()
    assert "cancelled" in batch.jobs.get().failure


@pytest.mark.servers
def test_all_reads_of_a_plan_see_the_database_as_it_was_at_its_beginning(monkeypatch):
    seen = []

    def looking(batch):
        seen.append(Document.objects.count())
        [posted] = at_once(BatchItemFactory.create)
        assert posted.document_id
        seen.append(Document.objects.count())
        yield from kinds.plan(batch)

    monkeypatch.setitem(papers._registry.runs, "faulty", RunKind("faulty", "Faulty", looking))
    assert plan(started()) == "done"
    assert seen == [0, 0]
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)


def test_a_second_run_planned_later_shares_the_workers_with_the_first(queues, settings):
    settings.DISPATCH_WINDOW = 8
    first = planned("First", count=20)
    finish(first, 6)
    second = planned("Second", count=20)
    BatchJob.objects.update(published_at=None)
    queues.delete("batch")
    dispatch_once()
    turns = [Document.objects.get(pk=pk) for pk in waiting(queues, "batch")]
    titles = [document.title.split()[1] for document in turns]
    assert titles == ["First", "Second"] * 4
    assert second.items.count() == 20


def test_control_a_run_that_always_began_at_turn_nought_would_go_before_the_first(
    queues, settings, monkeypatch
):
    monkeypatch.setattr(batches, "turn_of_queue", lambda: 0)
    settings.DISPATCH_WINDOW = 6
    finish(planned("First", count=20), 6)
    planned("Second", count=20)
    queues.delete("batch")
    dispatch_once()
    turns = [Document.objects.get(pk=pk) for pk in waiting(queues, "batch")]
    assert {document.title.split()[1] for document in turns} == {"Second"}


def test_a_run_closes_itself_when_its_last_paper_is_final():
    batch = planned(skipped=[0])
    assert close_finished_batches() == 0
    finish(batch, 1)
    assert close_finished_batches() == 0
    finish(batch)
    assert close_finished_batches() == 1
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE
    assert batch.finished_at is not None
    assert close_finished_batches() == 0


def test_a_run_with_nobody_in_it_closes_at_once():
    batch = planned(count=0)
    assert close_finished_batches() == 1
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE


def test_a_run_that_is_still_planned_is_not_closed():
    started()
    assert close_finished_batches() == 0


def test_a_run_whose_plan_failed_for_good_is_cancelled_and_keeps_the_reason():
    batch = started()
    BatchJob.objects.update(state="failed", failure="The plan could not be made.")
    assert close_finished_batches() == 1
    batch.refresh_from_db()
    assert batch.state == BatchState.CANCELLED
    assert batch.jobs.get().failure == "The plan could not be made."


@pytest.mark.servers
def test_two_dispatchers_at_once_close_a_run_once():
    for _ in range(5):
        BatchFactory.create()
    assert sum(at_once(*[close_finished_batches] * 3)) == 5


def test_papers_that_two_runs_share_are_made_once():
    company = CompanyFactory.create()
    planned("Same", company=company)
    planned("Same", company=company)
    assert Document.objects.count() == 3
    assert BatchItem.objects.count() == 6


def trail_of_papers():
    """Who, which paper, and what became of its state."""
    return {
        (entry.actor, entry.object_pk, *entry.changes["state"])
        for entry in LogEntry.objects.get_for_model(Document).select_related("actor")
        if "state" in entry.changes
    }


def test_what_an_earlier_run_did_not_make_is_queued_again_by_a_person_as_the_trail_says():
    first = planned(count=3)
    failed, cancelled, _waiting = first.items.order_by("position")
    rows = Document.objects.for_company(first.company)
    rows.filter(pk=failed.document_id).update(state="failed", failure="A character.")
    rows.filter(pk=cancelled.document_id).update(state="cancelled")
    LogEntry.objects.all().delete()
    person = member(Role.CLERK, company=first.company).user
    # The same title: the same papers.
    planned(count=3, company=first.company, by=person)
    assert trail_of_papers() == {
        (person, str(failed.document_id), "failed", "queued again"),
        (person, str(cancelled.document_id), "cancelled", "queued again"),
    }
    assert set(rows.values_list("state", flat=True)) == {"queued"}


def test_the_trail_of_many_is_a_statement_or_two():
    first = planned(count=40)
    Document.objects.update(state="failed", failure="A character.")
    LogEntry.objects.all().delete()
    again = started(count=40, company=first.company)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        plan(again)
    assert len(trail_of_papers()) == 40
    written = [query for query in seen if "INSERT" in query["sql"] and "auditlog" in query["sql"]]
    assert len(written) == 1
