"""A run's papers, some of which other runs and people may want as well.

Everything here is a few statements over all rows at once, called in a transaction that has the
company's runs locked.
"""

from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from documents.models import Batch, BatchItem, BatchState, Document, DocumentRequest, DocumentState
from documents.services.requests import QUEUED_AGAIN

LIVE = (BatchState.PLANNING, BatchState.RUNNING)


def lock_runs(batch: Batch) -> None:
    """One at a time: whoever pauses, cancels or retries a run of this company waits here.

    `batch` then says what it is now. Rows that refer to a run can be written meanwhile.
    """
    runs = Batch.objects.for_company(batch.company_id).filter(
        models.Q(state__in=LIVE) | models.Q(pk=batch.pk)
    )
    locked = runs.order_by("pk").select_for_update(no_key=True)
    now = {run.pk: run for run in locked.only("state", "is_paused", "send", "planned_at")}
    batch.state = now[batch.pk].state
    batch.is_paused = now[batch.pk].is_paused
    batch.send = now[batch.pk].send
    batch.planned_at = now[batch.pk].planned_at


def papers_of(batch: Batch) -> "models.QuerySet[Document]":
    mine = BatchItem.objects.filter(batch=batch, document__isnull=False)
    return Document.objects.for_company(batch.company_id).filter(pk__in=mine.values("document"))


def hold_papers(batch: Batch) -> int:
    """Let what is queued wait, but for what another run or a person waits for."""
    _lock(papers_of(batch).filter(state=DocumentState.QUEUED, held=False))
    unwanted = ~wanted_by_a_run(batch, batch__is_paused=False) & ~wanted_by_a_person(batch)
    queued = papers_of(batch).filter(state=DocumentState.QUEUED, held=False)
    return queued.filter(unwanted).update(held=True)


def release_papers(batch: Batch) -> int:
    """Whatever paused them: this run wants them now."""
    held = papers_of(batch).filter(state=DocumentState.QUEUED, held=True)
    return held.update(held=False, published_at=None)


def cancel_papers(batch: Batch) -> int:
    """Give up what is queued, but for what another run or a person still wants."""
    _lock(papers_of(batch).filter(state=DocumentState.QUEUED))
    unwanted = ~wanted_by_a_run(batch) & ~wanted_by_a_person(batch)
    queued = papers_of(batch).filter(state=DocumentState.QUEUED)
    return queued.filter(unwanted).update(
        state=DocumentState.CANCELLED, held=False, finished_at=Now(), published_at=None
    )


def queue_papers_again(batch: Batch, states: tuple[DocumentState, ...]) -> int:
    """As new, in their order, from where the queue stands now: other runs are not overtaken."""
    stopped = papers_of(batch).filter(state__in=states)
    first: int | None = stopped.aggregate(first=models.Min("turn"))["first"]
    if first is None:
        return 0
    turn = models.F("turn") + (turn_of_queue() - first)
    return stopped.update(**QUEUED_AGAIN, queue="batch", turn=turn)


def turn_of_queue() -> int:
    """Where the queue stands: a new run takes turns from here, beside the runs before it."""
    return first_turn(Document._base_manager.filter(state=DocumentState.QUEUED, queue="batch")) or 0


def first_turn(waiting: "models.QuerySet[Any]") -> int | None:
    """Of what goes on; of what a paused run holds back where nothing else waits."""
    for rows in (waiting.filter(held=False), waiting):
        first: int | None = rows.aggregate(first=models.Min("turn"))["first"]
        if first is not None:
            return first
    return None


def wanted_by_a_run(batch: Batch, *, document: str = "pk", **which: Any) -> models.Exists:
    """Whether a document is in another run that goes on."""
    others = BatchItem.objects.filter(
        document=models.OuterRef(document), batch__state__in=LIVE, **which
    )
    return models.Exists(others.exclude(batch=batch))


def wanted_by_a_person(batch: Batch) -> models.Exists:
    wishes = DocumentRequest.objects.for_company(batch.company_id)
    return models.Exists(wishes.filter(document=models.OuterRef("pk")))


def _lock(papers: "models.QuerySet[Document]") -> list[UUID]:
    """So that the statement after this one sees who asked for one of them until now: a request
    locks its document too, before it is noted.
    """
    locked = papers.order_by("pk").select_for_update(no_key=True)
    return list(locked.values_list("pk", flat=True))
