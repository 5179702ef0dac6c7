"""Runs: asked for, planned in one consistent read, rendered by the workers, closed by a sweep."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now

from accounts.models import Company, User
from documents.consistency import consistent_read
from documents.models import Batch, BatchItem, BatchJob, BatchState, Document, DocumentState
from documents.papers import Planned, run_kind
from documents.services.requests import insert_documents
from worker.nudging import nudge_on_commit
from worker.running import WorkFailed

_CHUNK = 500
_UNFINISHED = (DocumentState.QUEUED, DocumentState.RUNNING)


def start_batch(
    *,
    company: Company,
    kind: str,
    title: str,
    parameters: dict[str, Any],
    by: User | None,
    period: tuple[date, date] | None = None,
    send: bool = False,
) -> Batch:
    """A committed run and the job that plans it, which any worker of queue `batch` takes up."""
    with transaction.atomic():
        batch = Batch.objects.create(
            company=company,
            kind=run_kind(kind).name,
            title=title,
            parameters=parameters,
            requested_by=by,
            period_start=period[0] if period else None,
            period_end=period[1] if period else None,
            send=send,
        )
        job = BatchJob.objects.create(batch=batch, step=BatchJob.Step.PLAN, queue="batch")
        nudge_on_commit(job)
    return batch


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
        with consistent_read():
            _plan(batch)
    job.finish()


def _plan(batch: Batch) -> None:
    first_turn = _turn_of_queue()
    position = 0
    for planned in _chunks(run_kind(batch.kind).plan(batch)):
        _insert_rows(batch, planned, position, first_turn)
        position += len(planned)
    _record_plan(batch)


def _turn_of_queue() -> int:
    """Where the queue stands: a new run takes turns from here, beside the runs before it."""
    waiting = Document._base_manager.filter(state=DocumentState.QUEUED, queue="batch")
    first: int | None = waiting.aggregate(first=models.Min("turn"))["first"]
    return first or 0


def _chunks(rows: Iterable[Planned]) -> Iterator[list[Planned]]:
    rows = iter(rows)
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _insert_rows(batch: Batch, rows: list[Planned], position: int, first_turn: int) -> None:
    papers = [row.paper for row in rows if row.paper]
    documents = iter(
        insert_documents(
            company=batch.company,
            papers=papers,
            by=batch.requested_by,
            queue="batch",
            first_turn=first_turn + position,
        )
    )
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


def _record_plan(batch: Batch) -> None:
    planning = Batch._base_manager.filter(pk=batch.pk, state=BatchState.PLANNING)
    if planning.update(state=BatchState.RUNNING, planned_at=Now()) != 1:
        raise WorkFailed("The run was cancelled, or planned by another worker, meanwhile.")


def close_finished_batches() -> int:
    """Runs all of whose papers are final are done. Safe in any number of dispatchers at once."""
    unfinished = BatchItem.objects.filter(
        batch=models.OuterRef("pk"), document__state__in=_UNFINISHED
    )
    running = Batch._base_manager.filter(state=BatchState.RUNNING)
    closed = running.filter(~models.Exists(unfinished)).update(
        state=BatchState.DONE, finished_at=Now()
    )
    return closed + _cancel_unplannable()


def _cancel_unplannable() -> int:
    """A run whose planning failed for good ends as cancelled; its job keeps the reason."""
    failed = BatchJob.objects.filter(
        batch=models.OuterRef("pk"), step=BatchJob.Step.PLAN, state="failed"
    )
    planning = Batch._base_manager.filter(state=BatchState.PLANNING)
    return planning.filter(models.Exists(failed)).update(
        state=BatchState.CANCELLED, finished_at=Now()
    )


_STEPS: dict[BatchJob.Step, Callable[[BatchJob], None]] = {BatchJob.Step.PLAN: plan_batch}
