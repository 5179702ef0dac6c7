"""Runs of many papers, and one of them with its progress."""

from typing import Any

from django.http import Http404

from accounts.access import CompanyRequest
from documents.filters import BatchFilter, ItemFilter
from documents.models import Batch, DocumentState
from documents.selectors import (
    Edge,
    Progress,
    all_batches,
    batch_with_plan,
    by_position,
    items_of,
    listed_batches,
    newest_first,
    progress_of,
)
from documents.tables import BatchTable, ItemTable
from documents.views.live import LiveView

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
    parts = {"progress": "documents/parts/progress.html", "results": "documents/parts/results.html"}
    live_name = "documents:batch_progress"
    section = "runs"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        batch = batch_with_plan(request.company, kwargs["pk"])
        if batch is None:
            raise Http404("No such run.")
        progress = progress_of([batch]).get(batch.pk) or Progress()
        filters = ItemFilter(request.GET, items_of(batch), request=request)
        page = by_position(filters.qs, edge=Edge.of(request.GET), size=ITEMS_PAGE_SIZE)
        return {
            "batch": batch,
            "progress": progress,
            "counts": _counts(batch, progress),
            "live_title": _title(batch, progress),
            "news": f"The run is {batch.get_state_display()}: {_summary(progress)}.",
            "filters": filters,
            "page": page,
            "table": ItemTable(page.rows, company=request.company),
            "empty": "documents/parts/no_items.html",
            "is_final": batch.is_final,
        }


def _counts(batch: Batch, progress: Progress) -> list[tuple[str, str, int]]:
    """State, words and number; the states that a run may well never see only when it does."""
    words = {str(state): str(label) for state, label in DocumentState.choices}
    shown = [(state, words.get(state, state), count) for state, count in progress.counts.items()]
    passing = (DocumentState.QUEUED, DocumentState.RUNNING) if batch.is_final else ()
    unlikely = (*passing, DocumentState.CANCELLED)
    return [entry for entry in shown if entry[2] or entry[0] not in unlikely]


def _title(batch: Batch, progress: Progress) -> str:
    moving = not batch.is_final and progress.papers
    return f"{progress.percent} % · {batch.title}" if moving else batch.title


def _summary(progress: Progress) -> str:
    ready, failed = progress.counts[DocumentState.READY], progress.counts[DocumentState.FAILED]
    return f"{ready} ready, {failed} failed"
