"""A run's papers by e-mail: asked for once for each, and again for what did not go out."""

from collections.abc import Iterator
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.audit import note
from accounts.models import User
from documents.models import Batch, BatchState, Delivery, DeliveryState, Document, DocumentState
from documents.services.batch_papers import lock_runs, papers_of
from documents.services.deliveries import request_deliveries, resend_unsent, send_again

_AT_ONCE = 1000


def send_batch(*, batch: Batch, by: User | None) -> int:
    """E-mail every paper that has no e-mail yet, and those whose e-mail was not sent, once more;
    nothing that went out, or may have, goes twice. Papers to come are sent when they are ready.
    Returns how many are on their way.
    """
    with transaction.atomic():
        lock_runs(batch)
        if batch.planned_at is None:
            raise ValidationError("It is not planned yet: wait until its papers are known.")
        again = resend_unsent(batch=batch, by=by)
        asked = request_batch_deliveries(batch, by=by)
        Batch.objects.for_company(batch.company_id).filter(pk=batch.pk).update(send=True)
        batch.send = True
        if not again + asked:
            raise ValidationError("There is nothing unsent that could be sent.")
        note([batch], {"run": ("", f"{again + asked} e-mails asked for")}, by)
    return again + asked


def request_batch_deliveries(batch: Batch, *, by: User | None) -> int:
    """An e-mail for each paper that has none, a chunk a transaction; safe to do again."""
    return sum(_request(batch, papers, by) for papers in _chunks(batch))


def request_planned_deliveries(batch: Batch, *, by: User | None) -> int:
    """What a run that sends asks for with its plan. Who pauses or cancels it comes between chunks.

    Also what an earlier run asked for and did not send: it is this run's now. Safe to do again.
    """
    asked = 0
    for papers in _chunks(batch):
        with transaction.atomic():
            lock_runs(batch)
            if batch.state == BatchState.CANCELLED:
                break
            asked += _request(batch, papers, by) + _take_over(batch, papers, by)
    return asked


def _request(batch: Batch, papers: list[UUID], by: User | None) -> int:
    """What was cancelled is left out."""
    wanted = papers_of(batch).filter(pk__in=papers).exclude(state=DocumentState.CANCELLED)
    place = {pk: number for number, pk in enumerate(papers)}
    documents: list[Document] = sorted(wanted, key=lambda document: place[document.pk])
    return request_deliveries(documents=documents, by=by, batch=batch)


def _take_over(batch: Batch, papers: list[UUID], by: User | None) -> int:
    """But for what came back, of which a person decides."""
    states = (DeliveryState.FAILED, DeliveryState.CANCELLED)
    mine = Delivery.objects.for_company(batch.company_id).filter(document__in=papers)
    unsent = mine.filter(state__in=states).exclude(batch=batch)
    found = list(unsent.select_for_update(of=("self",)).values_list("pk", flat=True))
    if not found:
        return 0
    mine.filter(pk__in=found).update(batch=batch)
    return send_again(deliveries=mine.filter(pk__in=found), by=by)


def _chunks(batch: Batch) -> Iterator[list[UUID]]:
    """In the order of the rows, which nothing changes."""
    rows = batch.items.filter(document__isnull=False).order_by("position")
    papers = list(rows.values_list("document_id", flat=True))
    for start in range(0, len(papers), _AT_ONCE):
        yield [pk for pk in papers[start : start + _AT_ONCE] if pk]
