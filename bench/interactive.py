"""How long does somebody wait for one paper, alone and while a large run is under way?

From the request, committed, to the row that says `ready`: as the page that polls would see it. The
interactive queue has its own worker, as it has wherever Pressroom runs; another makes the run.
"""

import time
from collections.abc import Iterator
from typing import Any

from accounts.models import Company
from bench.data import books
from bench.findings import Bar, Findings, spread
from bench.pipeline import planned
from bench.servers import at_work, fresh
from bench.sizes import Size
from billing.models import Invoice
from billing.services.papers import request_paper
from documents.models import Document, DocumentState

_LIMIT, _PDF_TARGET = 2000, 2000  # ms
_GIVE_UP = 60


def measure(size: Size) -> Findings:
    found = Findings()
    waits = latencies(size.planned, size.requests)
    for name, times in waits.items():
        parts = spread(times)
        found.figures |= {f"{name}: {part}, ms": value for part, value in parts.items()}
        found.bars.append(Bar(f"request to ready, {name}: p95", parts["p95"], _LIMIT, "ms"))
    alone = found.figures["alone: p95, ms"]
    found.bars.append(Bar("target, PDF: p95", alone, _PDF_TARGET, "ms"))
    return found


def latencies(statements: int, requests: int) -> dict[str, list[float]]:
    """Seconds, alone and beside a run of so many statements."""
    fresh()
    company = books(statements, days=31)
    invoices = _invoices(company)
    with at_work(interactive=1, batch=1):
        alone = [_wait(next(invoices)) for _ in range(requests)]
        batch = planned(company)
        papers = Document._base_manager.filter(batch_items__batch=batch)
        while not papers.filter(state=DocumentState.READY).exists():
            time.sleep(0.05)
        beside = [_wait(next(invoices)) for _ in range(requests)]
        left = papers.filter(state=DocumentState.QUEUED).count()
    if not left and statements >= 1_000:
        raise RuntimeError("The run was over before the last request.")
    return {"alone": alone, f"beside {statements} statements": beside}


def _invoices(company: Company) -> Iterator[Any]:
    rows = Invoice.objects.for_company(company).select_related("company", "party")
    return iter(rows.order_by("pk")[:1000])


def _wait(invoice: Invoice) -> float:
    started = time.perf_counter()
    document = request_paper(record=invoice, by=None)
    rows = Document._base_manager.filter(pk=document.pk)
    while rows.values_list("state", flat=True).get() != DocumentState.READY:
        if time.perf_counter() - started > _GIVE_UP:
            raise TimeoutError(f"{invoice} was not ready within {_GIVE_UP} s.")
        time.sleep(0.01)
    return time.perf_counter() - started
