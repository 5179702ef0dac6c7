"""Runs of many papers, and one of them with its progress."""

from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.access import CompanyRequest
from accounts.models import Role
from documents.filters import MAIL, BatchFilter, ItemFilter
from documents.models import (
    Batch,
    BatchItem,
    BatchJob,
    BatchState,
    Delivery,
    DeliveryState,
    DocumentState,
)
from documents.selectors import (
    Edge,
    Progress,
    all_batches,
    by_position,
    find_batch,
    items_of,
    listed_batches,
    newest_first,
    progress_of,
)
from documents.selectors.bundles import Bundle, bundle_of, describe_files
from documents.selectors.deliveries import counts_of, deliveries_of
from documents.tables import BatchTable, ItemTable
from documents.views.live import LiveView
from worker.leasing import WorkState

_MOVING = (WorkState.QUEUED, WorkState.RUNNING)
RUNS_PAGE_SIZE = 20
ITEMS_PAGE_SIZE = 100


class BatchListView(LiveView):
    template_name = "documents/batches.html"
    parts = {"results": "documents/parts/results.html"}
    live_name = "documents:batches_progress"
    section = "runs"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        company = request.company
        filters = BatchFilter(request.GET, listed_batches(company), request=request)
        page = newest_first(
            filters.qs,
            all_rows=all_batches(company),
            edge=Edge.of(request.GET),
            size=RUNS_PAGE_SIZE,
        )
        progress = progress_of(page.rows)
        return {
            "filters": filters,
            "page": page,
            "table": BatchTable(page.rows, company=company, progress=progress),
            "empty": "documents/parts/no_batches.html",
            "is_final": all(batch.is_final for batch in page.rows),
        }


class BatchView(LiveView):
    template_name = "documents/batch.html"
    parts = {
        "progress": "documents/parts/progress.html",
        "files": "documents/parts/files.html",
        "results": "documents/parts/results.html",
    }
    live_name = "documents:batch_progress"
    section = "runs"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        batch = find_batch(request.company, kwargs["pk"])
        if batch is None:
            raise Http404("No such run.")
        progress = progress_of([batch]).get(batch.pk) or Progress()
        bundle = bundle_of(batch)
        mails = counts_of(batch) if batch.send else {}
        filters = ItemFilter(request.GET, items_of(batch), request=request)
        page = by_position(filters.qs, edge=Edge.of(request.GET), size=ITEMS_PAGE_SIZE)
        return {
            "batch": batch,
            "progress": progress,
            "plan": bundle.jobs.get(BatchJob.Step.PLAN),
            "counts": _counts(batch, progress),
            "mails": _mail_counts(mails),
            "can": _can(request, batch, progress, bundle),
            "files": describe_files(bundle),
            "cover": bundle.cover,
            "live_title": _title(batch, progress),
            "news": f"The run is {batch.get_state_display()}: {_summary(progress)}.",
            "filters": filters,
            "page": page,
            "table": ItemTable(
                page.rows, company=request.company, deliveries=_deliveries(batch, page.rows)
            ),
            "empty": "documents/parts/no_items.html",
            "is_final": batch.is_final and not (progress.waiting or _goes_on(bundle, mails)),
        }


def _deliveries(batch: Batch, rows: list[BatchItem]) -> dict[UUID, list[Delivery]] | None:
    if not batch.send:
        return None
    return deliveries_of([row.document_id for row in rows if row.document_id])


def _goes_on(bundle: Bundle, mails: dict[str, int]) -> bool:
    """Whether there is something to follow although the run itself is over."""
    moving = any(job.state in _MOVING for job in bundle.jobs.values())
    return moving or bundle.cover.is_coming or any(mails.get(state, 0) for state in _MOVING)


def _can(
    request: CompanyRequest, batch: Batch, progress: Progress, bundle: Bundle
) -> dict[str, bool]:
    """Which buttons make sense for this member at this moment."""
    enters = request.membership.may_act_as(Role.CLERK)
    plan = bundle.jobs.get(BatchJob.Step.PLAN)
    unplanned = batch.state == BatchState.CANCELLED and batch.planned_at is None
    return {
        "pause": enters and not batch.is_final and not batch.is_paused,
        "resume": enters and not batch.is_final and batch.is_paused,
        "cancel": enters and not batch.is_final,
        "retry": enters and bool(progress.counts[DocumentState.FAILED]),
        "plan": enters and unplanned and plan is not None and plan.state not in _MOVING,
        "make_cancelled": enters and bool(progress.counts[DocumentState.CANCELLED]),
        "make": enters,
        # Also while it is planned, when it is refused: who looks on would not see it come.
        "send": request.membership.may_act_as(Role.ACCOUNTANT) and not unplanned,
    }


def _counts(batch: Batch, progress: Progress) -> list[tuple[str, str, int]]:
    """State, words and number; the states that a run may well never see only when it does."""
    words = {str(state): str(label) for state, label in DocumentState.choices}
    shown = [(state, words.get(state, state), count) for state, count in progress.counts.items()]
    passing = (DocumentState.QUEUED, DocumentState.RUNNING) if batch.is_final else ()
    unlikely = (*passing, DocumentState.CANCELLED)
    return [entry for entry in shown if entry[2] or entry[0] not in unlikely]


def _mail_counts(mails: dict[str, int]) -> list[tuple[str, str, str, int]]:
    """The filter, state, words and number of e-mails that there are."""
    words = {str(state): str(label) for state, label in DeliveryState.choices}
    return [
        (f"{MAIL}{state}", state, words[state], count) for state, count in mails.items() if count
    ]


def _title(batch: Batch, progress: Progress) -> str:
    moving = not batch.is_final and progress.papers
    return f"{progress.percent} % · {batch.title}" if moving else batch.title


def _summary(progress: Progress) -> str:
    ready, failed = progress.counts[DocumentState.READY], progress.counts[DocumentState.FAILED]
    return f"{ready} ready, {failed} failed"
