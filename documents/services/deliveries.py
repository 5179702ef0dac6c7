"""Papers by e-mail: who gets one."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from accounts.models import Company, User
from documents.models import (
    UNSENT,
    Batch,
    Channel,
    Delivery,
    DeliveryState,
    Document,
    DocumentState,
)
from documents.services.batch_papers import first_turn
from documents.services.mail_templates import Words, compose
from documents.services.recipients import (
    DRAFT,
    IS_A_DRAFT,
    address_problem,
    present_addresses,
)
from documents.services.releasing import (
    NO_PAPER,
    cancel_deliveries,
    pause_deliveries,
    release_deliveries,
    resume_deliveries,
)
from documents.services.resending import resend_unsent, send_again
from worker.nudging import nudge_on_commit

__all__ = [
    "cancel_deliveries",
    "pause_deliveries",
    "release_deliveries",
    "request_deliveries",
    "resend_unsent",
    "resume_deliveries",
    "send_again",
    "send_document",
]

_AT_ONCE = 1000


def request_deliveries(
    *, documents: Sequence[Document], by: User | None, batch: Batch | None = None
) -> int:
    """A delivery for each document that has none, held until it is ready. Returns how many.

    The documents are of one company. Who has no good address gets nothing: the row failed at once.
    """
    if not documents:
        return 0
    company = batch.company if batch else documents[0].company
    if any(document.company_id != company.pk for document in documents):
        raise ValueError("These documents are of several companies.")
    made = 0
    with transaction.atomic():
        turn = _first_turn(batch) if batch else 0
        for place in range(0, len(documents), _AT_ONCE):
            wanted = _without_one(documents[place : place + _AT_ONCE])
            rows = _rows(wanted, company, requested_by=by, batch=batch)
            for row in rows:
                row.turn = turn + made if batch else turn
                made += 1
            # Two requests at once: the second finds the first's rows.
            Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return made


def send_document(*, document: Document, by: User | None) -> Delivery:
    """One paper to its party. Raises ValidationError where it went, or is on its way, already."""
    mine = Delivery.objects.for_company(document.company_id).filter(
        document=document, channel=Channel.EMAIL, recipient_id=document.recipient_id
    )
    with transaction.atomic():
        if request_deliveries(documents=[document], by=by) == 0:
            row = mine.get()
            if row.state not in UNSENT:
                raise ValidationError(
                    f"This paper has an e-mail already: {row.get_state_display()}."
                )
            send_again(deliveries=mine, by=by)
        row = mine.get()
        if row.state == DeliveryState.QUEUED and not row.held:
            nudge_on_commit(row)
    return row


def _first_turn(batch: Batch) -> int:
    """Behind this run's own e-mails, beside those of the runs before it; each by its index."""
    of_runs = Delivery._base_manager.filter(queue="mail", batch__isnull=False)
    last: int | None = of_runs.filter(batch=batch).aggregate(last=models.Max("turn"))["last"]
    if last is not None:
        return last + 1
    return first_turn(of_runs.filter(state=DeliveryState.QUEUED)) or 1


def _without_one(documents: Sequence[Document]) -> list[Document]:
    known: set[tuple[UUID, UUID]] = set(
        Delivery._base_manager.filter(
            document__in=[document.pk for document in documents], channel=Channel.EMAIL
        ).values_list("document_id", "recipient_id")
    )
    return list(
        {
            document.pk: document
            for document in documents
            if (document.pk, document.recipient_id) not in known
        }.values()
    )


def _rows(documents: Sequence[Document], company: Company, **shared: Any) -> list[Delivery]:
    if not documents:
        return []
    book = present_addresses(company, documents)
    words = compose(documents, company)
    rows = [
        _row(document, book.get(document.recipient_id, ""), words[document.pk], **shared)
        for document in documents
    ]
    _refuse_drafts(rows)
    return rows


def _refuse_drafts(rows: list[Delivery]) -> None:
    """A run over a list of invoices may hold drafts, which are nobody's business yet."""
    papers = Document._base_manager.filter(pk__in=[row.document_id for row in rows])
    drafts = set(papers.filter(snapshot__state=DRAFT).values_list("pk", flat=True))
    for row in rows:
        if row.document_id in drafts:
            row.state, row.held, row.failure = DeliveryState.FAILED, False, IS_A_DRAFT
            row.finished_at = timezone.now()


def _row(
    document: Document, address: str, words: Words, *, batch: Batch | None, **shared: Any
) -> Delivery:
    pk = uuid4()
    row = Delivery(
        pk=pk,
        company_id=document.company_id,
        document=document,
        recipient_id=document.recipient_id,
        recipient_name=document.recipient_name,
        address=address,
        subject=words.subject,
        body=words.body,
        message_id=f"{pk}@{_domain()}",
        queue="mail",
        held=document.state != DocumentState.READY or (batch is not None and batch.is_paused),
        batch=batch,
        **shared,
    )
    problem = address_problem(address)
    if problem:
        row.state, row.held, row.failure = DeliveryState.FAILED, False, problem
    elif document.state == DocumentState.FAILED:
        row.state, row.failure = DeliveryState.FAILED, NO_PAPER + document.failure
    if row.state == DeliveryState.FAILED:
        row.finished_at = timezone.now()
    return row


def _domain() -> str:
    return urlsplit(settings.SITE_URL).hostname or "localhost"
