"""How many papers were made and how long each took, counted without slowing their making.

Counters and histograms must only grow, over any number of workers, hosts and restarts. A count
kept in a worker's memory dies with its child; a row that each finished paper adds to is one that
all workers wait for. So nothing is counted while papers are made: some seconds later a dispatcher
adds up what ended since the mark, by the index of `finished_at`, and moves the mark in the same
transaction. One dispatcher has the mark at a time, the others skip it. It stays `_BEHIND` the
present, since a row shows its `finished_at` only once it is committed; a transaction that takes
longer than that is the one thing that is not counted. A long stretch, as after the dispatchers
were away, is counted in pieces.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models.functions import Now, TruncMinute

from documents.models import RENDER_EDGES, SIZE_EDGES, Document, PaperMinute, PaperTally
from worker.clock import database_now
from worker.models import Mark

COUNTED = "papers counted"
_BEHIND = timedelta(seconds=15)
_EVERY = timedelta(seconds=5)
_LONGEST_PIECE = timedelta(minutes=10)
_MINUTES_KEPT = timedelta(hours=25)


@dataclass(frozen=True)
class _Ended:
    """Papers of one kind that ended alike within one minute."""

    kind: str
    outcome: str
    minute: datetime
    sums: dict[str, int]


def advance_tallies() -> int:
    """A sweep of the dispatcher; any number at once are safe. Returns how many were counted."""
    with transaction.atomic():
        skips = connection.features.has_select_for_update_skip_locked
        behind = Mark.objects.filter(name=COUNTED, at__lt=Now() - _BEHIND - _EVERY)
        mark = behind.select_for_update(skip_locked=skips).first()
        if mark is None:
            _begin()
            return 0
        until = min(database_now() - _BEHIND, mark.at + _LONGEST_PIECE)
        ended = _ended(mark.at, until)
        _add_to_tallies(ended)
        _add_to_minutes(ended)
        Mark.objects.filter(pk=mark.pk).update(at=until)
    return sum(part.sums["papers"] for part in ended)


def _begin() -> None:
    """What ended before counting began is not counted."""
    if not Mark.objects.filter(name=COUNTED).exists():
        Mark.objects.bulk_create([Mark(name=COUNTED)], ignore_conflicts=True)


def _ended(after: datetime, until: datetime) -> list[_Ended]:
    rows: models.QuerySet[Any, Any] = (
        Document._base_manager.filter(finished_at__gt=after, finished_at__lte=until)
        .order_by()
        .annotate(minute=TruncMinute("finished_at"))
        .values("kind", "state", "minute")
        .annotate(
            papers=models.Count("pk"),
            sum_attempts=models.Sum("attempts"),
            sum_milliseconds=models.Sum("render_milliseconds"),
            sum_bytes=models.Sum("size"),
            **_within("render_milliseconds", RENDER_EDGES),
            **_within("size", SIZE_EDGES),
        )
    )
    return [
        _Ended(row.pop("kind"), row.pop("state"), row.pop("minute"), row) for row in rows.iterator()
    ]


def _within(field: str, edges: Iterable[int]) -> dict[str, models.Count]:
    """How many are at or below each edge, which is what a histogram of Prometheus counts."""
    return {
        f"{field}_{edge}": models.Count("pk", filter=models.Q(**{f"{field}__lte": edge}))
        for edge in edges
    }


def _add_to_tallies(ended: list[_Ended]) -> None:
    sums: dict[tuple[str, str], Counter[str]] = {}
    for part in ended:
        sums.setdefault((part.kind, part.outcome), Counter()).update(part.sums)
    if not sums:
        return
    PaperTally.objects.bulk_create(
        [PaperTally(kind=kind, outcome=outcome) for kind, outcome in sums], ignore_conflicts=True
    )
    kinds = {kind for kind, _ in sums}
    tallies = [
        tally
        for tally in PaperTally.objects.filter(kind__in=kinds)
        if (tally.kind, tally.outcome) in sums
    ]
    for tally in tallies:
        _add(tally, sums[tally.kind, tally.outcome])
    PaperTally.objects.bulk_update(
        tallies,
        ["papers", "attempts", "milliseconds", "bytes", "renders_within", "sizes_within"],
    )


def _add(tally: PaperTally, more: "Counter[str]") -> None:
    """The mark is locked: nobody else changes it."""
    tally.papers += more["papers"]
    tally.attempts += more["sum_attempts"]
    tally.milliseconds += more["sum_milliseconds"]
    tally.bytes += more["sum_bytes"]
    tally.renders_within = _added(
        tally.renders_within, [more[f"render_milliseconds_{edge}"] for edge in RENDER_EDGES]
    )
    tally.sizes_within = _added(tally.sizes_within, [more[f"size_{edge}"] for edge in SIZE_EDGES])


def _added(before: list[int], more: list[int]) -> list[int]:
    return [one + other for one, other in zip(before or [0] * len(more), more, strict=True)]


def _add_to_minutes(ended: list[_Ended]) -> None:
    papers: Counter[tuple[datetime, str]] = Counter()
    for part in ended:
        papers[part.minute, part.outcome] += part.sums["papers"]
    known = {
        (row.minute, row.outcome): row
        for row in PaperMinute.objects.filter(minute__in={minute for minute, _ in papers})
    }
    rows: list[Any] = []
    for (minute, outcome), count in papers.items():
        before = known.get((minute, outcome))
        total = count + (before.papers if before else 0)
        rows.append(PaperMinute(minute=minute, outcome=outcome, papers=total))
    if rows:
        PaperMinute.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["minute", "outcome"],
            update_fields=["papers"],
        )
        PaperMinute.objects.filter(minute__lt=Now() - _MINUTES_KEPT).delete()
