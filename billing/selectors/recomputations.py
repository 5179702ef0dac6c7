"""What pages and the command read about recomputations."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.models import Company
from billing.models import BalanceDrift, Recomputation, RecomputationChunk
from worker.leasing import WorkState

_MEASURABLE = timedelta(seconds=1)
_STALLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class ChunkProgress:
    """How far a run is, by the parties of its chunks."""

    parties: int = 0
    finished: int = 0
    drifting: int = 0
    corrected: int = 0
    unneeded: int = 0
    attempts: int = 0
    failure: str = ""
    last_finished: datetime | None = None

    @property
    def papers(self) -> int:
        """The meter's own word for all there is."""
        return self.parties

    @property
    def percent(self) -> int:
        return 100 * self.finished // self.parties if self.parties else 0

    @property
    def bar(self) -> dict[str, int]:
        return {"done": self.percent, "failed": 0}

    def time_left(self, run: Recomputation) -> timedelta | None:
        if not self.finished or self.last_finished is None:
            return None
        elapsed = self.last_finished - run.created_at
        if elapsed < _MEASURABLE:
            return None
        return elapsed / self.finished * (self.parties - self.finished)

    def idle_for(self, run: Recomputation) -> timedelta | None:
        """Since when nothing was finished, once that is long enough to ask whether anyone works."""
        idle = timezone.now() - (self.last_finished or run.created_at)
        return idle if idle > _STALLED_AFTER else None


def listed_recomputations(company: Company) -> "models.QuerySet[Recomputation]":
    return Recomputation.objects.for_company(company).select_related("requested_by", "corrects")


def recomputation_page_rows(company: Company) -> "models.QuerySet[Recomputation]":
    """For the page of one: the run that corrects it, if any, comes along."""
    later = Recomputation.objects.for_company(company).filter(corrects=models.OuterRef("pk"))
    newest = later.order_by("-number")
    return listed_recomputations(company).annotate(
        corrected_by=models.Subquery(newest.values("pk")[:1]),
        corrected_by_number=models.Subquery(newest.values("number")[:1]),
    )


def progress_of(runs: Collection[Recomputation]) -> dict[UUID, ChunkProgress]:
    """Of each of `runs`, which were read for their company, in one query."""
    done = models.Q(state=WorkState.DONE)
    rows = (
        RecomputationChunk.objects.filter(recomputation__in=[run.pk for run in runs])
        .values("recomputation_id")
        .annotate(
            all_parties=models.Sum("parties"),
            finished=models.Sum("parties", filter=done, default=0),
            all_drifting=models.Sum("drifting"),
            all_corrected=models.Sum("corrected"),
            all_unneeded=models.Sum("unneeded"),
            tries=models.Max("attempts"),
            why=models.Max("failure"),
            latest=models.Max("finished_at"),
        )
    )
    return {row["recomputation_id"]: _progress(row) for row in rows}


def _progress(row: Mapping[str, Any]) -> ChunkProgress:
    return ChunkProgress(
        parties=row["all_parties"],
        finished=row["finished"],
        drifting=row["all_drifting"],
        corrected=row["all_corrected"],
        unneeded=row["all_unneeded"],
        attempts=row["tries"],
        failure=row["why"],
        last_finished=row["latest"],
    )


def parties_done(run: Recomputation) -> tuple[int, int]:
    """(compared, of how many)."""
    progress = progress_of([run]).get(run.pk) or ChunkProgress()
    return progress.finished, progress.parties


def drifts_of(run: Recomputation) -> "models.QuerySet[BalanceDrift]":
    """`run` was read for its company."""
    return BalanceDrift.objects.filter(recomputation=run).select_related("party")


def drifts_in_order(run: Recomputation) -> "models.QuerySet[BalanceDrift]":
    return drifts_of(run).order_by("party__code", "column")
