"""How long does it take to plan a run, at 1x and 10x the parties? It should grow no faster."""

import time
from typing import Any

from bench.data import PERIOD, books
from billing.services import start_statement_run
from documents.models import BatchJob
from documents.services.batches import plan_batch
from worker.running import work_on


def measure() -> dict[str, Any]:
    small, large = _plan(200), _plan(2000)
    return {
        "200 parties, s": round(small, 2),
        "2,000 parties, s": round(large, 2),
        "ten times the parties cost, times": round(large / small, 1),
        "planning, ms a statement": round(1000 * large / 2000, 2),
    }


def _plan(parties: int) -> float:
    batch = start_statement_run(company=books(parties), period=PERIOD, by=None)
    job = batch.jobs.get()
    started = time.perf_counter()
    work_on(BatchJob, job.pk, plan_batch)
    return time.perf_counter() - started
