"""Telling a company's own systems what happened, by signed HTTP: who is told what.

Their keeping is in `webhook_endpoints`, the sending itself in `webhook_sending`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from documents.models import (
    Batch,
    BatchState,
    Document,
    DocumentState,
    Event,
    WebhookDelivery,
    WebhookEndpoint,
)
from documents.selectors import Progress, progress_of
from documents.services.notifications import plan_failures, run_counts
from worker.clock import database_now

_AT_ONCE = 500


def tell_of_documents(documents: Sequence[Document]) -> None:
    """A delivery for each endpoint that wants the event, in the transaction that announces."""
    wanted = _endpoints({document.company_id for document in documents})
    _insert(
        _delivery(endpoint, event, document.pk, document.occurrence, _of_document(document, event))
        for document in documents
        for event in [_event_of(document)]
        for endpoint in wanted.get((document.company_id, event), ())
    )


def tell_of_batches(batches: Sequence[Batch]) -> None:
    """A delivery for each endpoint that wants the event, in the transaction that announces."""
    wanted = _endpoints({batch.company_id for batch in batches})
    if not wanted:
        return
    done = [batch for batch in batches if batch.state == BatchState.DONE]
    progress = progress_of(done) if done else {}
    reasons = plan_failures(batches)
    told = [
        (batch, Event.RUN_FINISHED, {"counts": run_counts(progress.get(batch.pk) or Progress())})
        for batch in done
    ] + [
        (batch, Event.RUN_FAILED, {"reason": reasons[batch.pk]})
        for batch in batches
        if batch.pk in reasons
    ]
    _insert(
        _delivery(endpoint, event, batch.pk, batch.occurrence, _of_run(batch, event, more))
        for batch, event, more in told
        for endpoint in wanted.get((batch.company_id, event), ())
    )


def _endpoints(companies: Iterable[UUID]) -> Mapping[tuple[UUID, str], list[WebhookEndpoint]]:
    """Those that are on, by company and by what they want."""
    found: dict[tuple[UUID, str], list[WebhookEndpoint]] = {}
    rows = WebhookEndpoint.objects.across_companies().filter(
        company__in=list(companies), is_enabled=True
    )
    for endpoint in rows:
        for event in endpoint.events:
            found.setdefault((endpoint.company_id, event), []).append(endpoint)
    return found


def _event_of(document: Document) -> Event:
    ready = document.state == DocumentState.READY
    return Event.DOCUMENT_READY if ready else Event.DOCUMENT_FAILED


def _delivery(
    endpoint: WebhookEndpoint, event: str, subject: UUID, occurrence: int, payload: dict[str, Any]
) -> WebhookDelivery:
    return WebhookDelivery(
        company_id=endpoint.company_id,
        endpoint=endpoint,
        event=event,
        subject_id=subject,
        occurrence=occurrence,
        payload=payload,
        queue="mail",
    )


def _insert(deliveries: Iterable[WebhookDelivery]) -> None:
    WebhookDelivery.objects.bulk_create(
        list(deliveries), ignore_conflicts=True, batch_size=_AT_ONCE
    )


def event_payload(event: str, at: datetime | None, data: dict[str, Any]) -> dict[str, Any]:
    """As Standard Webhooks has it: type, timestamp (of what happened) and data."""
    return {"type": event, "timestamp": (at or database_now()).isoformat(), "data": data}


def _of_document(document: Document, event: Event) -> dict[str, Any]:
    """Ids and facts of the file. Names, addresses and amounts are behind the link."""
    data: dict[str, Any] = {
        "id": str(document.pk),
        "kind": document.kind,
        "title": document.title,
        "state": document.state,
        "version": document.version,
        "subject_id": str(document.subject_id),
        "url": settings.SITE_URL + document.get_absolute_url(),
    }
    if event == Event.DOCUMENT_READY:
        data |= {
            "sha256": document.sha256,
            "size": document.size,
            "pages": document.pages,
            "file": settings.SITE_URL + reverse("documents:download", args=[document.pk]),
        }
    else:
        data["reason"] = document.failure
    return event_payload(event, document.finished_at, data)


def _of_run(batch: Batch, event: Event, more: dict[str, Any]) -> dict[str, Any]:
    data = {
        "id": str(batch.pk),
        "kind": batch.kind,
        "title": batch.title,
        "state": batch.state,
        "period_start": batch.period_start and batch.period_start.isoformat(),
        "period_end": batch.period_end and batch.period_end.isoformat(),
        "url": settings.SITE_URL + batch.get_absolute_url(),
        **more,
    }
    return event_payload(event, batch.finished_at, data)
