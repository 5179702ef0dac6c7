"""A run's papers by e-mail: asked for once for each, and again for what did not go out."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.audit import note
from accounts.models import User
from documents.models import Batch, Document, DocumentState
from documents.services.batch_papers import lock_runs, papers_of
from documents.services.deliveries import request_deliveries, resend_unsent

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
    return sum(
        request_deliveries(documents=documents, by=by, batch=batch) for documents in _chunks(batch)
    )


def _chunks(batch: Batch) -> Iterator[list[Document]]:
    """In the order of the rows; what was cancelled is left out."""
    place = 0
    wanted = papers_of(batch).exclude(state=DocumentState.CANCELLED).order_by("turn", "pk")
    while chunk := list(wanted[place : place + _AT_ONCE]):
        yield chunk
        place += _AT_ONCE
