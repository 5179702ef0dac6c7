"""The covering list of a run: every party in it, and what became of its paper."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from billing.money import ZERO, as_text
from billing.snapshots.facts import Facts, paper_links
from documents.models import Batch
from documents.papers import Snapshot

LEFT_OUT = "left_out"
READY = "ready"
# Rows on one list: a longer one lists those that are ready no more, and would take minutes.
MOST_ROWS = 20_000


class Row(NamedTuple):
    """A party in a run. `state` is that of its document, or `left_out`."""

    code: str
    name: str
    amount: Decimal | None
    pages: int
    state: str
    reason: str


def batch_list_snapshot(*, issuer: Facts, batch: Batch, rows: Iterable[Row]) -> Snapshot:
    """`issuer` is `company_facts(batch.company)`. In the company's own language: it stays there."""
    company = batch.company
    listed, amounts, pages = [], [], 0
    counts: dict[str, int] = {}
    for row in rows:
        listed.append(_row(row, company.currency))
        counts[row.state] = counts.get(row.state, 0) + 1
        pages += row.pages
        if row.amount is not None and row.state != LEFT_OUT:
            amounts.append(row.amount)
    shown = _shown(listed)
    period = {"start": batch.period_start, "end": batch.period_end}
    return {
        "schema": 1,
        "locale": company.locale,
        "page_size": str(company.page_size),
        "currency": company.currency,
        "links": paper_links(),
        "company": issuer,
        "title": batch.title,
        "period": {name: day.isoformat() for name, day in period.items() if day},
        "rows": shown,
        "unlisted": len(listed) - len(shown),
        "counts": dict(sorted(counts.items())),
        "totals": {
            "papers": len(listed) - counts.get(LEFT_OUT, 0),
            "pages": pages,
            "amount": as_text(sum(amounts, ZERO), company.currency) if amounts else "",
        },
    }


def _shown(rows: list[list[str]]) -> list[list[str]]:
    """All, or of very many those that somebody has to look at."""
    if len(rows) <= MOST_ROWS:
        return rows
    return [row for row in rows if row[4] != READY][:MOST_ROWS]


def _row(row: Row, currency: str) -> list[str]:
    """[code, name, amount, pages, state, reason]; amount and pages "" where there are none."""
    amount = "" if row.amount is None else as_text(row.amount, currency)
    return [row.code, row.name, amount, str(row.pages or ""), row.state, row.reason]
