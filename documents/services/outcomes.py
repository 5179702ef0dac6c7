"""What follows when a paper or a run is final: deliveries go out, people and systems are told.

Each outcome is announced once, in the transaction that marks it as announced. A paper that is made
is announced with its being recorded; what else ends (a failure, an exhausted lease, a run) is found
by the dispatcher.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models.functions import Now

from documents.models import (
    Batch,
    BatchState,
    Delivery,
    Document,
    DocumentRequest,
    DocumentState,
    WebhookEndpoint,
)
from documents.services import deliveries, notifications, webhooks

_AT_ONCE = 200
_TOLD = (DocumentState.READY, DocumentState.FAILED)
_ENDED = (BatchState.DONE, BatchState.CANCELLED)

Outcome = TypeVar("Outcome", Document, Batch)


def as_announced() -> dict[str, Any]:
    """What is recorded beside the end of a paper that `announce_made` tells of."""
    return {"announced_at": Now(), "occurrence": models.F("occurrence") + 1}


def announce_made(document: Document) -> None:
    """Call it in the transaction whose `finish` recorded `as_announced()`, on the row as it is."""
    if _awaited().filter(pk=document.pk).exists():
        _tell_documents([document])


@cache
def _awaited() -> "models.QuerySet[Document]":
    """Papers of which somebody is to be told: one question about those of a run, which few wait
    for. Never evaluated itself; putting it together anew took longer than the answer.
    """
    mails = Delivery._base_manager.filter(document=models.OuterRef("pk"), held=True)
    wishes = DocumentRequest._base_manager.filter(document=models.OuterRef("pk"))
    systems = WebhookEndpoint._base_manager.filter(
        company=models.OuterRef("company"), is_enabled=True
    )
    return Document._base_manager.filter(
        models.Q(models.Exists(mails)) | models.Exists(wishes) | models.Exists(systems)
    )


def announce_finished() -> int:
    """A sweep of the dispatcher; any number at once are safe."""
    papers = Document.objects.across_companies().filter(state__in=_TOLD)
    runs = Batch.objects.across_companies().filter(state__in=_ENDED)
    return _announce(papers, _tell_documents) + _announce(runs, _tell_batches)


def _announce(rows: "models.QuerySet[Outcome]", tell: Callable[[list[Outcome]], Any]) -> int:
    with transaction.atomic():
        skips = connection.features.has_select_for_update_skip_locked
        found = list(
            rows.filter(announced_at=None)
            .order_by("finished_at")
            .select_for_update(skip_locked=skips, of=("self",) if skips else ())[:_AT_ONCE]
        )
        if found:
            _mark(found)
            tell(found)
    return len(found)


def _mark(rows: list[Outcome]) -> None:
    for row in rows:
        row.occurrence += 1
    model: type[models.Model] = type(rows[0])
    model._base_manager.filter(pk__in=[row.pk for row in rows]).update(**as_announced())


def _tell_documents(documents: list[Document]) -> None:
    deliveries.release_deliveries(documents)
    notifications.notify_of_documents(documents)
    webhooks.tell_of_documents(documents)


def _tell_batches(batches: list[Batch]) -> None:
    notifications.notify_of_batches(batches)
    webhooks.tell_of_batches(batches)
