"""A run of papers that take as long as real ones and cost no processor time."""

import os
import time
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from documents.models import Batch
from documents.papers import Paper, PaperKind, Planned, RunKind, register_paper, register_run
from documents.rendering import Rendered
from documents.services import making
from worker import preflight

KIND = PaperKind(name="simulated", label="Simulated", template="pdf/statement.html", version=1)
_SIZE = 30_000  # bytes, about what a statement has


def take_over() -> None:
    register_paper(KIND)
    register_run(RunKind(name="simulated", label="Simulated run", plan=plan))
    making.render_paper = slept
    # A hundred children would warm up fonts that they don't use.
    preflight._preloads.clear()
    preflight._warm_ups.clear()


def slept(*, fingerprint: str, **_: Any) -> Rendered:
    time.sleep(float(os.environ["BENCH_RENDER_SECONDS"]))
    return Rendered(content=fingerprint.encode() * (_SIZE // 64), pages=1)


def plan(batch: Batch) -> Iterator[Planned]:
    """`parameters`: how many."""
    for number in range(batch.parameters["count"]):
        subject = uuid5(NAMESPACE_URL, f"{batch.pk}/{number}")
        name = f"Customer {number}"
        paper = Paper(
            kind=KIND,
            snapshot={"locale": "en_GB", "company": {"logo": None}, "subject": str(subject)},
            locale="en_GB",
            title=name,
            subject_id=subject,
            recipient_id=subject,
            recipient_code=f"{number:05}",
            recipient_name=name,
        )
        yield Planned(subject_id=subject, code=paper.recipient_code, name=name, paper=paper)
