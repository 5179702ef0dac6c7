"""Runs: asked for, planned in one consistent read, rendered by the workers, closed by a sweep."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import OperationalError, connection, models, transaction
from django.db.models.functions import Now

from accounts.audit import note_each
from accounts.models import Company, User
from documents.consistency import consistent_read, was_overtaken
from documents.models import (
    Batch,
    BatchItem,
    BatchJob,
    BatchState,
    Delivery,
    DeliveryState,
    Document,
    DocumentState,
)
from documents.papers import Planned, run_kind
from documents.services.batch_files import make_cover, make_merged, make_zip, request_covers
from documents.services.batch_papers import (
    hold_papers,
    lock_runs,
    release_papers,
    turn_of_queue,
)
from documents.services.batch_sending import request_planned_deliveries
from documents.services.requests import QUEUED_AGAIN, insert_documents
from worker.clock import database_now
from worker.nudging import nudge_on_commit
from worker.running import WorkFailed

_CHUNK = 500
_UNFINISHED = (DocumentState.QUEUED, DocumentState.RUNNING)
_STOPPED = (DocumentState.FAILED, DocumentState.CANCELLED)
# Between two plans of a run whose papers people ask for by themselves while it is planned.
_SHORTEST_REST, _LONGEST_REST = timedelta(seconds=2), timedelta(minutes=10)
_GIVE_UP_AFTER = timedelta(hours=3)
_OVERTAKEN = "Papers of it were asked for by themselves each time it was planned."


def start_batch(
    *,
    company: Company,
    kind: str,
    title: str,
    parameters: dict[str, Any],
    by: User | None,
    period: tuple[date, date] | None = None,
    send: bool = False,
    key: UUID | None = None,
) -> Batch:
    """A committed run and the job that plans it, which any worker of queue `batch` takes up.

    Asked for twice with the same `key` (its id), it is one run.
    """
    with transaction.atomic():
        batch, is_new = Batch.objects.for_company(company).get_or_create(
            pk=key or uuid4(),
            defaults={
                "company": company,
                "kind": run_kind(kind).name,
                "title": title,
                "parameters": parameters,
                "requested_by": by,
                "period_start": period[0] if period else None,
                "period_end": period[1] if period else None,
                "send": send,
            },
        )
        if is_new:
            job = BatchJob.objects.create(batch=batch, step=BatchJob.Step.PLAN, queue="batch")
            nudge_on_commit(job)
    return batch


def key_of(token: UUID, **facts: Any) -> UUID:
    """The key of a run that a form asks for: the form's token, and what is asked for with it.

    The same form sent twice has the same key; sent for something else it has another.
    """
    return uuid5(token, json.dumps(facts, sort_keys=True, default=str))


def run_batch_job(job: BatchJob) -> None:
    """The work of one lease, whichever step it is."""
    _STEPS[BatchJob.Step(job.step)](job)


def plan_batch(job: BatchJob) -> None:
    """The work of one lease: every row of the batch and its documents, all or nothing.

    The job itself is finished in a transaction of its own: its row is renewed meanwhile, and the
    plan reads the database as it was at the beginning. A plan that is committed is not made again.
    """
    batch = job.batch
    if batch.state == BatchState.PLANNING:
        try:
            with consistent_read():
                _plan(batch)
        except OperationalError as error:
            if not was_overtaken(error):
                raise
            _plan_later(job, batch)
            return
    _follow_up(batch)
    job.finish()


def _plan_later(job: BatchJob, batch: Batch) -> None:
    """What was planned does not know of what somebody changed meanwhile.

    Where that is the run itself, the next plan begins at once. Else people ask for its papers one
    by one, and a plan begun at once may well meet the next: each waits longer than the last.
    """
    known = (batch.state, batch.is_paused)
    batch.refresh_from_db(fields=["state", "is_paused"])
    if (batch.state, batch.is_paused) != known:
        job.release()
        return
    now = database_now()
    waited = now - job.created_at
    if waited > _GIVE_UP_AFTER:
        job.fail(reason=f"{_OVERTAKEN} Start it again at a quieter time.", retry=False)
    else:
        rest = max(_SHORTEST_REST, min(waited / 4, _LONGEST_REST))
        job.put_off(now + rest, failure=_OVERTAKEN)


def _plan(batch: Batch) -> None:
    # Who pauses it from now on changes what this snapshot holds, and the plan is made anew.
    batch.refresh_from_db(fields=["is_paused"])
    first_turn = turn_of_queue()
    position = 0
    for planned in _chunks(run_kind(batch.kind).plan(batch)):
        _insert_rows(batch, planned, position, first_turn)
        position += len(planned)
    if batch.is_paused:
        hold_papers(batch)
    _record_plan(batch)


def _follow_up(batch: Batch) -> None:
    """What a committed plan asks for, each safe to do again."""
    with transaction.atomic():
        lock_runs(batch)
        if batch.state == BatchState.RUNNING and not batch.is_paused:
            release_papers(batch)
    if batch.send:
        request_planned_deliveries(batch, by=batch.requested_by)


def _chunks(rows: Iterable[Planned]) -> Iterator[list[Planned]]:
    rows = iter(rows)
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _insert_rows(batch: Batch, rows: list[Planned], position: int, first_turn: int) -> None:
    papers = [row.paper for row in rows if row.paper]
    turn = first_turn + position
    found = insert_documents(
        company=batch.company,
        papers=papers,
        by=batch.requested_by,
        queue="batch",
        first_turn=turn,
    )
    _make_again(batch, found, turn)
    documents = iter(found)
    BatchItem.objects.bulk_create(
        BatchItem(
            company_id=batch.company_id,
            batch=batch,
            position=position + place,
            subject_id=row.subject_id,
            code=row.code,
            name=row.name,
            document=next(documents) if row.paper else None,
            skipped_reason=row.skipped_reason,
        )
        for place, row in enumerate(rows)
    )


def _make_again(batch: Batch, found: list[Document], turn: int) -> None:
    """What an earlier run gave up, or could not make, is asked for once more, as the trail says."""
    stopped = [document for document in found if document.state in _STOPPED]
    if stopped:
        keys = [document.pk for document in stopped]
        rows = Document.objects.for_company(batch.company_id).filter(pk__in=keys)
        rows.filter(state__in=_STOPPED).update(**QUEUED_AGAIN, queue="batch", turn=turn)
        note_each(
            ((it, {"state": (str(it.get_state_display()), "queued again")}) for it in stopped),
            batch.requested_by,
        )


def _record_plan(batch: Batch) -> None:
    planning = Batch._base_manager.filter(pk=batch.pk, state=BatchState.PLANNING)
    if planning.update(state=BatchState.RUNNING, planned_at=Now()) != 1:
        raise WorkFailed("The run was cancelled, or planned by another worker, meanwhile.")


def close_finished_batches() -> int:
    """Runs all of whose papers are final are done. Safe in any number of dispatchers at once."""
    return _close_done() + _cancel_unplannable()


def _close_done() -> int:
    """Locked first and looked at again: who retried what failed until then has it open again."""
    finished = Batch._base_manager.filter(_nothing_to_do(), state=BatchState.RUNNING)
    if not finished.exists():
        return 0
    with transaction.atomic():
        skips = connection.features.has_select_for_update_skip_locked
        locked = finished.order_by("pk").select_for_update(skip_locked=skips, no_key=True)
        found = {batch.pk: batch for batch in locked.only("kind")}
        closed = finished.filter(pk__in=found)
        done = list(closed.values_list("pk", flat=True))
        closed.update(state=BatchState.DONE, finished_at=Now(), is_paused=False)
        request_covers([found[pk] for pk in done])
    return len(done)


def _nothing_to_do() -> models.Q:
    papers = BatchItem.objects.filter(batch=models.OuterRef("pk"), document__state__in=_UNFINISHED)
    # A plan that is committed may still have e-mails to ask for.
    plan = BatchJob.objects.filter(
        batch=models.OuterRef("pk"), step=BatchJob.Step.PLAN, state__in=_UNFINISHED
    )
    # To end is to be paused no more: what a person holds back would go out by itself.
    mails = Delivery._base_manager.filter(batch=models.OuterRef("pk"), state=DeliveryState.QUEUED)
    is_held_back = models.Q(models.Exists(mails), is_paused=True)
    return models.Q(~models.Exists(papers), ~models.Exists(plan)) & ~is_held_back


def _cancel_unplannable() -> int:
    """A run whose planning failed for good ends as cancelled; its job keeps the reason."""
    failed = BatchJob.objects.filter(
        batch=models.OuterRef("pk"), step=BatchJob.Step.PLAN, state="failed"
    )
    planning = Batch._base_manager.filter(state=BatchState.PLANNING)
    return planning.filter(models.Exists(failed)).update(
        state=BatchState.CANCELLED, finished_at=Now()
    )


_STEPS: dict[BatchJob.Step, Callable[[BatchJob], None]] = {
    BatchJob.Step.PLAN: plan_batch,
    BatchJob.Step.COVER: make_cover,
    BatchJob.Step.ZIP: make_zip,
    BatchJob.Step.MERGE: make_merged,
}
