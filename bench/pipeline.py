"""What does the pipeline cost over the bare engine? Claim, render, store, record against the same
HTML given straight to the tuned engine, one by one in turn, in one process."""

import statistics
import time
from typing import Any

from bench.data import PERIOD, books
from billing.services import start_statement_run
from documents.models import BatchJob, Document
from documents.rendering import render, warm_up
from documents.rendering.paper import paper_html
from documents.services.batches import plan_batch
from documents.services.making import make_document
from worker.running import work_on

_PARTIES = 120


def measure() -> dict[str, Any]:
    batch = start_statement_run(company=books(_PARTIES), period=PERIOD, by=None)
    work_on(BatchJob, batch.jobs.get().pk, plan_batch)
    documents = list(Document._base_manager.filter(batch_items__batch=batch))
    warm_up()
    bare: list[float] = []
    whole: list[float] = []
    for document in documents:
        html = paper_html(
            template="pdf/statement.html",
            snapshot=document.snapshot,
            fingerprint=document.fingerprint,
        )
        bare.append(_seconds(lambda html=html: render(html=html, assets={})))
        whole.append(_seconds(lambda pk=document.pk: work_on(Document, pk, make_document)))
    return {
        "documents": len(documents),
        "bare engine, ms a document (median)": round(1000 * statistics.median(bare), 1),
        "pipeline, ms a document (median)": round(1000 * statistics.median(whole), 1),
        "pipeline over bare engine (sums)": round(sum(whole) / sum(bare), 3),
        "bar": 1.10,
    }


def _seconds(do: Any) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
