"""What a person does with many documents at once: try again, cancel, put away.

Each takes the rows that are meant, ticked or found by a filter, and touches those of them that are
in the right state; the others are left as they are. Statements are few, however many the rows. More
than MOST_AT_ONCE are refused with a ValidationError, and nothing is done.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Now

from accounts.audit import note
from accounts.models import Company, User
from documents.models import Batch, BatchItem, BatchState, Document, DocumentState
from documents.services.batch_papers import turn_of_queue
from documents.services.requests import QUEUED_AGAIN
from worker.nudging import nudge_on_commit

Rows = models.QuerySet[Document]

# All of them are held in memory, and locked until the last is written to the trail.
MOST_AT_ONCE = 50_000
_CHUNK = 5000
# More than these few wait for the dispatcher, which publishes no more than the workers can take.
_NUDGED = 10
_READ = ("company_id", "state", "title", "queue", "turn")
_STOPPED = models.Q(state__in=(DocumentState.FAILED, DocumentState.CANCELLED))
_UNFINISHED = models.Q(state__in=(DocumentState.QUEUED, DocumentState.RUNNING))
_SHOWN_FAILURE = models.Q(state=DocumentState.FAILED, cleared_at=None)
_CANCELLED = {
    "state": DocumentState.CANCELLED,
    "finished_at": Now(),
    # Whoever is at it has lost the lease: what it records changes nothing.
    "token": None,
    "lease_expires_at": None,
}


def retry_documents(*, company: Company, rows: Rows, by: User | None) -> int:
    """Queue those of `rows` that failed or were cancelled, with all their attempts."""
    with transaction.atomic():
        _lock_runs(company, rows)
        found = _locked(company, rows, _STOPPED)
        _change(company, found, {**QUEUED_AGAIN, "turn": _turn_from_now(found)}, "queued again", by)
        _reopen_runs(company, found)
        if len(found) <= _NUDGED:
            for document in found:
                nudge_on_commit(document)
    return len(found)


def cancel_documents(*, company: Company, rows: Rows, by: User | None) -> int:
    """Stop those of `rows` that wait or are being made; a worker's result comes too late then."""
    with transaction.atomic():
        found = _locked(company, rows, _UNFINISHED)
        _change(company, found, _CANCELLED, "cancelled", by)
    return len(found)


def clear_failed(*, company: Company, rows: Rows, by: User | None) -> int:
    """Put those of `rows` that failed away: lists show them only to who asks for them."""
    with transaction.atomic():
        found = _locked(company, rows, _SHOWN_FAILURE)
        _change(company, found, {"cleared_at": Now()}, "put away", by)
    return len(found)


def _locked(company: Company, rows: Rows, which: models.Q) -> list[Document]:
    mine = Document.objects.for_company(company).filter(which, pk__in=rows.order_by().values("pk"))
    found = list(mine.only(*_READ).order_by("pk").select_for_update()[: MOST_AT_ONCE + 1])
    if len(found) > MOST_AT_ONCE:
        raise ValidationError(f"At most {MOST_AT_ONCE:,} documents at once: narrow the filter.")
    return found


def _change(
    company: Company, found: list[Document], values: dict[str, Any], said: str, by: User | None
) -> None:
    """`said` is what the trail shows as the state after. The rows are locked: none has moved."""
    for keys in _chunks(found):
        Document.objects.for_company(company).filter(pk__in=keys).update(**values)
    for label in {document.get_state_display() for document in found}:
        alike = [document for document in found if document.get_state_display() == label]
        note(alike, {"state": (label, said)}, by)


def _turn_from_now(found: list[Document]) -> models.Case:
    """Papers of runs queue up where their queue stands now: other runs are not overtaken."""
    first = min((document.turn for document in found if document.queue == "batch"), default=0)
    later = models.F("turn") + (turn_of_queue() - first)
    return models.Case(
        models.When(queue="batch", then=later),
        default=models.F("turn"),
        output_field=models.BigIntegerField(),
    )


def _lock_runs(company: Company, rows: Rows) -> None:
    """Before the papers, as who pauses or cancels a run does: none waits for the other."""
    runs = _runs_with(company, rows.order_by().values("pk"))
    list(runs.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _reopen_runs(company: Company, found: list[Document]) -> None:
    """A run that was done has work again; it ends, and its end is told, once more."""
    for keys in _chunks(found):
        _runs_with(company, keys).filter(state=BatchState.DONE).update(
            state=BatchState.RUNNING, finished_at=None, announced_at=None
        )


def _runs_with(company: Company, documents: Any) -> "models.QuerySet[Batch]":
    items = BatchItem.objects.filter(company=company, document__in=documents)
    return Batch.objects.for_company(company).filter(pk__in=items.values("batch"))


def _chunks(found: list[Document]) -> Iterator[list[UUID]]:
    keys = iter([document.pk for document in found])
    while chunk := list(islice(keys, _CHUNK)):
        yield chunk
