"""The covering list that goes with a run: one paper about all of its rows."""

from collections.abc import Iterator

from billing.kinds import BATCH_LIST
from billing.snapshots import LEFT_OUT, Row, batch_list_snapshot, company_facts
from documents.models import Batch, BatchItem, DocumentState
from documents.papers import Paper


def covering_list(batch: Batch) -> Paper:
    """As the run stands now: asked for again when more is ready, it is a new version."""
    company = batch.company
    snapshot = batch_list_snapshot(
        issuer=company_facts(company), batch=batch, rows=read_rows(batch)
    )
    return Paper(
        kind=BATCH_LIST,
        snapshot=snapshot,
        locale=snapshot["locale"],
        title=f"Covering list {batch.title}"[:200],
        subject_id=batch.pk,
        recipient_id=company.pk,
        recipient_code="",
        recipient_name=company.legal_name,
        period_start=batch.period_start,
        period_end=batch.period_end,
    )


def read_rows(batch: Batch) -> Iterator[Row]:
    """Every row of the run in its order, in one query."""
    items = BatchItem.objects.filter(company=batch.company, batch=batch).order_by("position", "pk")
    for code, name, skipped, state, amount, pages, failure in items.values_list(
        "code",
        "name",
        "skipped_reason",
        "document__state",
        "document__amount",
        "document__pages",
        "document__failure",
    ).iterator(chunk_size=2000):
        if skipped:
            yield Row(code, name, None, 0, LEFT_OUT, skipped)
        else:
            reason = failure if state == DocumentState.FAILED else ""
            yield Row(code, name, amount, pages, state, reason)
