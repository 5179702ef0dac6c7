"""Telling users what became of what they asked for: in the bell, and by e-mail as they chose.

Each outcome is told to a user once, whoever announces it and how often: a notification is unique
by user, event, subject and occurrence.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models
from django.urls import reverse

from accounts.models import Company, Membership, Role
from documents.models import (
    Batch,
    BatchJob,
    BatchState,
    Document,
    DocumentRequest,
    DocumentState,
    Event,
    MailChoice,
    Notification,
    NotificationChoice,
    NotificationMail,
    WebhookEndpoint,
)
from documents.selectors import SKIPPED, Progress, progress_of
from worker.clock import database_now

_AT_ONCE = 500
_CHOICE_OF = {
    Event.DOCUMENT_READY: "documents",
    Event.DOCUMENT_FAILED: "documents",
    Event.RUN_FINISHED: "runs",
    Event.RUN_FAILED: "runs",
    Event.ARCHIVE_DAMAGED: "warnings",
    Event.WEBHOOK_FAILED: "warnings",
    Event.CHECK_FAILED: "warnings",
}


def notify_of_documents(documents: Sequence[Document]) -> None:
    """Tell who asked for each, as ready or failed. Called in the transaction that announces."""
    by_id = {document.pk: document for document in documents}
    member = Membership.objects.filter(
        user=models.OuterRef("user"), company=models.OuterRef("company"), user__is_active=True
    )
    asked = (
        DocumentRequest.objects.across_companies()
        .filter(models.Exists(member), document__in=list(by_id))
        .values_list("document_id", "user_id")
    )
    _tell(_about_document(by_id[document], user) for document, user in asked)


def notify_of_batches(batches: Sequence[Batch]) -> None:
    """Tell who started each run. Called in the transaction that announces.

    A run that a person cancelled is no news to anybody.
    """
    starters = _starters(batches)
    told = [batch for batch in batches if batch.pk in starters]
    done = [batch for batch in told if batch.state == BatchState.DONE]
    progress = progress_of(done) if done else {}
    details = {batch.pk: _counts(progress.get(batch.pk) or Progress()) for batch in done}
    _tell(
        [
            _of_run(Event.RUN_FINISHED, batch, starters[batch.pk], details[batch.pk])
            for batch in done
        ]
        + [
            _of_run(Event.RUN_FAILED, batch, starters[batch.pk], reasons)
            for batch, reasons in _with_reasons(told)
        ]
    )


def notify_of_damage(company: Company, count: int, url: str = "") -> None:
    """Tell the owners that `count` more files of the archive are lost or changed."""
    files = "1 file is" if count == 1 else f"{count} files are"
    _tell_owners(
        company,
        event=Event.ARCHIVE_DAMAGED,
        subject_id=company.pk,
        title=f"{files} missing from the archive, or not what was stored",
        detail="Ask whoever runs this server to bring them back from a backup.",
        url=url or reverse("documents:list"),
        is_new=True,
    )


def notify_of_webhook(endpoint: WebhookEndpoint, reason: str, *, is_off: bool = False) -> None:
    """Tell the owners that an endpoint does not take what it wants: once a day at most, and each
    time that it was switched off for it.
    """
    _tell_owners(
        endpoint.company,
        event=Event.WEBHOOK_FAILED,
        subject_id=endpoint.pk,
        title=f"Webhook: {endpoint.description or endpoint.url}",
        detail=reason,
        url=endpoint.get_absolute_url(),
        is_new=is_off,
    )


def notify_of_finding(
    company: Company, *, subject_id: UUID, title: str, detail: str, url: str
) -> None:
    """Tell the owners what a check that runs by itself has found; `subject_id` is the check's."""
    _tell_owners(
        company,
        event=Event.CHECK_FAILED,
        subject_id=subject_id,
        title=title,
        detail=detail,
        url=url,
    )


def plan_failures(batches: Iterable[Batch]) -> dict[UUID, str]:
    """Why each of the cancelled runs could not be planned; a run that a person cancelled: none."""
    cancelled = [batch.pk for batch in batches if batch.state == BatchState.CANCELLED]
    if not cancelled:
        return {}
    failed = BatchJob.objects.filter(batch__in=cancelled, step=BatchJob.Step.PLAN, state="failed")
    return dict(failed.values_list("batch_id", "failure"))


def run_counts(progress: Progress) -> dict[str, int]:
    return {
        "ready": progress.counts[DocumentState.READY],
        "failed": progress.counts[DocumentState.FAILED],
        "skipped": progress.counts[SKIPPED],
    }


def _about_document(document: Document, user: UUID) -> Notification:
    is_ready = document.state == DocumentState.READY
    pages = "1 page" if document.pages == 1 else f"{document.pages} pages"
    return Notification(
        company_id=document.company_id,
        user_id=user,
        event=Event.DOCUMENT_READY if is_ready else Event.DOCUMENT_FAILED,
        subject_id=document.pk,
        occurrence=document.occurrence,
        title=document.title[:200],
        detail=pages if is_ready else document.failure[:300],
        url=document.get_absolute_url(),
    )


def _counts(progress: Progress) -> str:
    counts = [f"{count} {word}" for word, count in run_counts(progress).items() if count]
    return ", ".join(counts) or "There was nobody to make a paper for."


def _with_reasons(batches: list[Batch]) -> list[tuple[Batch, str]]:
    reasons = plan_failures(batches)
    return [(batch, reasons[batch.pk]) for batch in batches if batch.pk in reasons]


def _of_run(event: Event, batch: Batch, user: UUID, detail: str) -> Notification:
    return Notification(
        company_id=batch.company_id,
        user_id=user,
        event=event,
        subject_id=batch.pk,
        occurrence=batch.occurrence,
        title=batch.title[:200],
        detail=detail[:300],
        url=batch.get_absolute_url(),
    )


def _starters(batches: Sequence[Batch]) -> dict[UUID, UUID]:
    """Who started each run, as far as they still belong to its company."""
    users = {batch.requested_by_id for batch in batches if batch.requested_by_id}
    members = set(
        Membership.objects.filter(user__in=users, user__is_active=True).values_list(
            "user_id", "company_id"
        )
    )
    return {
        batch.pk: batch.requested_by_id
        for batch in batches
        if batch.requested_by_id and (batch.requested_by_id, batch.company_id) in members
    }


def _tell_owners(
    company: Company,
    *,
    event: Event,
    subject_id: UUID,
    title: str,
    detail: str,
    url: str,
    is_new: bool = False,
) -> None:
    """Once a day of a subject, unless this `is_new` whatever was told of it today."""
    owners = company.memberships.filter(role=Role.OWNER, user__is_active=True)
    today = database_now().astimezone(ZoneInfo(company.time_zone)).date()
    occurrence = secrets.randbelow(2**31) if is_new else today.toordinal()
    _tell(
        Notification(
            company=company,
            user_id=user,
            event=event,
            subject_id=subject_id,
            occurrence=occurrence,
            title=title[:200],
            detail=detail[:300],
            url=url,
        )
        for user in owners.values_list("user_id", flat=True)
    )


def _tell(notifications: Iterable[Notification]) -> None:
    """Insert what was not told yet, and an e-mail for each that is to have one of its own."""
    rows = list(notifications)
    if not rows:
        return
    choices = _choices(rows)
    for row in rows:
        choice = choices.get((row.user_id, row.company_id)) or NotificationChoice()
        row.mail = getattr(choice, _CHOICE_OF[Event(row.event)])
    Notification.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_AT_ONCE)
    _queue_mails([row for row in rows if row.mail == MailChoice.EACH])


def _choices(rows: list[Notification]) -> Mapping[tuple[UUID, UUID], NotificationChoice]:
    found = NotificationChoice.objects.filter(
        user__in={row.user_id for row in rows}, company__in={row.company_id for row in rows}
    )
    return {(choice.user_id, choice.company_id): choice for choice in found}


def _queue_mails(rows: list[Notification]) -> None:
    """Of the rows that were inserted: what had been told already keeps its id, and its e-mail."""
    if not rows:
        return
    inserted = Notification.objects.across_companies().filter(pk__in=[row.pk for row in rows])
    told = set(inserted.values_list("pk", flat=True))
    NotificationMail.objects.bulk_create(
        [
            NotificationMail(
                company_id=row.company_id, user_id=row.user_id, notification=row, queue="mail"
            )
            for row in rows
            if row.pk in told
        ],
        batch_size=_AT_ONCE,
    )
