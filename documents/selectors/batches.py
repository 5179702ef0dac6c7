"""What pages read about runs: counts by one GROUP BY, rows by the page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.models import Company
from documents.models import Batch, BatchItem, DocumentState

SKIPPED = "skipped"
_MEASURABLE = timedelta(seconds=1)
_STALLED_AFTER = timedelta(seconds=60)
_COUNTED = (*DocumentState.values, SKIPPED)


@dataclass
class Progress:
    """How far a run is. `rate` is in documents a minute, over those that this run has made."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))
    held: int = 0
    made: int = 0
    first_started: datetime | None = None
    last_finished: datetime | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def papers(self) -> int:
        return self.total - self.counts[SKIPPED]

    @property
    def waiting(self) -> int:
        return self.counts[DocumentState.QUEUED] + self.counts[DocumentState.RUNNING]

    @property
    def finished(self) -> int:
        """Made or failed; what was cancelled is neither."""
        return self.counts[DocumentState.READY] + self.counts[DocumentState.FAILED]

    @property
    def percent(self) -> int:
        """Rounded down: 100 means all of them."""
        return 100 * self.finished // self.papers if self.papers else 0

    @property
    def bar(self) -> dict[str, int]:
        """The widths of the two parts of a bar, in percent."""
        failed = self.counts[DocumentState.FAILED]
        share = max(1, 100 * failed // self.papers) if failed else 0
        return {"done": max(0, self.percent - share), "failed": share}

    @property
    def elapsed(self) -> timedelta | None:
        if self.first_started is None or self.last_finished is None:
            return None
        return self.last_finished - self.first_started

    @property
    def rate(self) -> int | None:
        if self.made < 2 or self.elapsed is None or self.elapsed < _MEASURABLE:
            return None
        return round(self.made / self.elapsed.total_seconds() * 60)

    @property
    def time_left(self) -> timedelta | None:
        if not self.elapsed or self.made < 2 or self.held == self.waiting:
            return None
        return self.elapsed / self.made * self.waiting

    @property
    def is_paused(self) -> bool:
        return self.held > 0

    @property
    def idle_for(self) -> timedelta | None:
        """Since when nothing was finished, once that is long enough to ask whether anyone works."""
        if self.last_finished is None or self.is_paused:
            return None
        idle = timezone.now() - self.last_finished
        return idle if idle > _STALLED_AFTER else None


def listed_batches(company: Company) -> "models.QuerySet[Batch]":
    return Batch.objects.for_company(company).select_related("requested_by").defer("parameters")


def all_batches(company: Company) -> "models.QuerySet[Batch]":
    return Batch.objects.for_company(company)


def find_batch(company: Company, pk: UUID) -> Batch | None:
    return listed_batches(company).filter(pk=pk).first()


def progress_of(batches: Iterable[Batch]) -> dict[UUID, Progress]:
    """The progress of each of `batches`, which were read for their company, in one query."""
    made = models.Q(document__finished_at__gte=models.F("batch__planned_at"))
    rows = (
        BatchItem.objects.filter(batch__in=[batch.pk for batch in batches])
        .values("batch_id", "document__state")
        .annotate(
            items=models.Count("pk"),
            held=models.Count("pk", filter=models.Q(document__held=True)),
            made=models.Count("pk", filter=made),
            first_started=models.Min("document__started_at", filter=made),
            last_finished=models.Max("document__finished_at", filter=made),
        )
    )
    found: defaultdict[UUID, Progress] = defaultdict(Progress)
    for row in rows:
        _add(found[row["batch_id"]], row)
    return found


def _add(progress: Progress, row: Mapping[str, Any]) -> None:
    state = str(row["document__state"] or SKIPPED)
    progress.counts[state] = row["items"]
    if state not in (DocumentState.QUEUED, DocumentState.RUNNING):
        progress.made += row["made"] if state != DocumentState.CANCELLED else 0
    else:
        progress.held += row["held"]
    progress.first_started = _least(progress.first_started, row["first_started"])
    progress.last_finished = _greatest(progress.last_finished, row["last_finished"])


def _least(one: datetime | None, other: object) -> datetime | None:
    times = [time for time in (one, other) if isinstance(time, datetime)]
    return min(times, default=None)


def _greatest(one: datetime | None, other: object) -> datetime | None:
    times = [time for time in (one, other) if isinstance(time, datetime)]
    return max(times, default=None)


def items_of(batch: Batch) -> "models.QuerySet[BatchItem]":
    """A row a party; of its document only what the row shows."""
    wanted = ("state", "held", "failure", "title", "amount", "currency", "pages", "size")
    return (
        batch.items.select_related("document")
        .only(
            "position",
            "code",
            "name",
            "skipped_reason",
            "batch_id",
            *(f"document__{name}" for name in wanted),
        )
        .order_by("position")
    )
