"""What does the pipeline cost over the bare engine, and do two workers do twice as much?

Claim, render, store and record against the same HTML given straight to the tuned engine, one by
one in turn, in one process. Both are told by the length of the paper: what is not rendering costs
the same for each, so the shortest paper bears the most of it.
"""

import statistics
from collections.abc import Iterator

from django.db.models import Max, Min

from accounts.models import Company
from bench.data import PERIOD, books
from bench.findings import Bar, Cost, Findings, cost, milliseconds
from bench.servers import as_a_worker, at_work, fresh, until
from bench.sizes import Size
from billing.models import Invoice
from billing.services import start_statement_run
from billing.services.papers import request_paper
from documents.models import Batch, BatchJob, BatchState, Document
from documents.papers import paper_kind
from documents.rendering import Asset, render
from documents.rendering.codes import QR, links_of, qr_code
from documents.rendering.paper import paper_html
from documents.services.batches import plan_batch
from documents.services.making import make_document
from worker.running import work_on

_LIMIT = 1.10
# The bar is for papers as they are: an invoice of ten items, a statement of a hundred lines.
_HELD_TO_IT = ("invoice, 10 items", "statement, 100 lines")


def measure(size: Size) -> Findings:
    found = Findings()
    as_a_worker()
    for name, documents in _papers(size.documents):
        _compare(found, name, documents)
    _two_over_one(found, size.run, size.turns)
    return found


def _papers(count: int) -> Iterator[tuple[str, list[Document]]]:
    fresh()
    yield "statement, 0 to 8 lines", _statements(books(count + 1), count)
    yield "invoice, 10 items", _invoices(books(-(-count // 3), items=10, each=3), count)
    yield "statement, 100 lines", _statements(books(count, few=60, each=60, days=31), count)


def _statements(company: Company, count: int) -> list[Document]:
    batch = planned(company)
    papers = Document._base_manager.filter(batch_items__batch=batch)
    return sorted(papers, key=lambda paper: len(paper.snapshot["lines"]))[:count]


def planned(company: Company) -> Batch:
    """A run of statements that is planned, and of which no paper is made yet."""
    batch = start_statement_run(company=company, period=PERIOD, by=None)
    work_on(BatchJob, batch.jobs.get().pk, plan_batch)
    return batch


def _invoices(company: Company, count: int) -> list[Document]:
    invoices = Invoice.objects.for_company(company).select_related("company", "party")
    papers = [request_paper(record=invoice, by=None).pk for invoice in invoices[:count]]
    return list(Document._base_manager.filter(pk__in=papers))


def _compare(found: Findings, name: str, documents: list[Document]) -> None:
    bare: list[Cost] = []
    whole: list[Cost] = []
    for place, document in enumerate(documents):
        html, assets = _as_rendered(document)
        ways = [
            (bare, lambda html=html, assets=assets: render(html=html, assets=assets)),
            (whole, lambda pk=document.pk: _made(pk)),
        ]
        # Whichever comes second finds the characters in the fonts' caches.
        for costs, do in ways if place % 2 else reversed(ways):
            costs.append(cost(do))
    ratio = _ratio([it.wall for it in whole], [it.wall for it in bare])
    over = [one.wall - other.wall for one, other in zip(whole, bare, strict=True)]
    found.figures |= {
        f"{name}: documents": len(documents),
        f"{name}: bare engine, ms": milliseconds([it.wall for it in bare]),
        f"{name}: pipeline, ms": milliseconds([it.wall for it in whole]),
        f"{name}: what is not rendering, ms": milliseconds(over),
        f"{name}: pipeline over bare engine": ratio,
        f"{name}: the same, processor time of the worker": _ratio(
            [it.processor for it in whole], [it.processor for it in bare]
        ),
    }
    if name in _HELD_TO_IT:
        found.bars.append(Bar(f"pipeline over bare engine: {name}", ratio, _LIMIT))


def _ratio(these: list[float], those: list[float]) -> float:
    pairs = zip(these, those, strict=True)
    return round(statistics.median(one / other for one, other in pairs), 3)


def _as_rendered(document: Document) -> tuple[str, dict[str, Asset]]:
    template = paper_kind(document.kind).template
    snapshot, fingerprint = document.snapshot, document.fingerprint
    html = paper_html(template=template, snapshot=snapshot, fingerprint=fingerprint)
    scan = links_of(snapshot, fingerprint).scan
    return html, {QR: qr_code(scan)} if f"asset:{QR}" in html else {}


def _made(pk: object) -> None:
    if work_on(Document, pk, make_document) != "done":
        raise RuntimeError(f"Document {pk} was not made.")


def _two_over_one(found: Findings, statements: int, turns: int) -> None:
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(turns):
        # What else the machine does drifts: neither is always the first.
        for workers in sorted(rates, reverse=turn % 2 == 1):
            fresh()
            company = books(statements // 2 * workers, seed=turn)
            with at_work(batch=workers):
                rates[workers].append(rate_of(run_of(company)))
    found.figures["statements a second, one worker"] = round(statistics.median(rates[1]), 1)
    found.figures["statements a second, two workers"] = round(statistics.median(rates[2]), 1)
    ratio = round(_ratio(rates[2], rates[1]), 2)
    found.bars.append(Bar("two workers over one", ratio, 1.9, at_least=True))


def run_of(company: Company) -> Batch:
    """A run of statements, made to its end by the workers there are."""
    batch = start_statement_run(company=company, period=PERIOD, by=None)
    until(lambda: Batch._base_manager.get(pk=batch.pk).state == BatchState.DONE, 7200)
    return batch


def rate_of(batch: Batch) -> float:
    """Papers a second, from the first claim to the last paper's record."""
    papers = Document._base_manager.filter(batch_items__batch=batch, state="ready")
    ends = papers.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return papers.count() / (ends["last"] - ends["first"]).total_seconds()
