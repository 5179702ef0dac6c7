"""How fast papers were made lately, and how long a run of some more would take."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db import models

from accounts.models import Company
from documents.models import Document, DocumentState

_LOOKED_AT = 200
# Workers that made a paper this shortly before the newest one were at work together.
_TOGETHER = timedelta(seconds=60)


@dataclass(frozen=True)
class Pace:
    """Measured over `papers` papers: the seconds that one took, times `workers` side by side."""

    papers: int
    seconds: float
    workers: int

    @property
    def a_minute(self) -> int:
        return max(1, int(60 * self.workers / self.seconds))

    def time_for(self, papers: int) -> timedelta:
        return timedelta(seconds=papers * self.seconds / self.workers)


def pace_of(company: Company, kind: str) -> Pace | None:
    """The pace of the company's last papers of `kind` that were part of runs.

    Where no run has made any, of those that were asked for singly; None where there are none.
    """
    made = Document.objects.for_company(company).filter(
        state=DocumentState.READY, kind=kind, started_at__isnull=False
    )
    return _measured(made.filter(queue="batch")) or _measured(made)


def _measured(made: "models.QuerySet[Document]") -> Pace | None:
    latest = made.order_by("-created_at").values_list("started_at", "finished_at", "made_by")
    rows: list[Any] = list(latest[:_LOOKED_AT])
    if not rows:
        return None
    seconds = median((finished - started).total_seconds() for started, finished, _ in rows)
    return Pace(len(rows), max(seconds, 0.001), _workers(rows))


def _workers(rows: list[tuple[datetime, datetime, str]]) -> int:
    newest = max(finished for _, finished, _ in rows)
    return len({name for _, finished, name in rows if newest - finished <= _TOGETHER})


def papers_before(count: int) -> int:
    """How many papers that wait in the runs' queue are made before the last of `count` more.

    Of every company: they share the workers by turns.
    """
    waiting = (
        Document.objects.across_companies()
        .filter(state=DocumentState.QUEUED, queue="batch", held=False)
        .order_by()
    )
    first: int | None = waiting.aggregate(first=models.Min("turn"))["first"]
    return 0 if first is None else waiting.filter(turn__lt=first + count).count()
