"""What an operator sees: queues, processes, the work under way, and whether papers come out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now, Substr
from kombu.exceptions import OperationalError as BrokerError

from documents.models import ArchiveSweep, Document, DocumentState, PaperMinute
from documents.selectors.canaries import canary_ages
from worker import broker, counting, presence
from worker.clock import database_now
from worker.leasing import WorkState, leased_models
from worker.models import Mark, Presence, Role
from worker.workload import (
    DUE,
    FAILED,
    HELD,
    LATER,
    RUNNING,
    Load,
    Work,
    oldest_waiting,
    running_work,
    workload,
)

_DAY = timedelta(hours=24)
_MOST_REASONS = 8
_SLOW_CANARY = timedelta(minutes=5)
_SLOW_DISPATCHER = timedelta(seconds=30)
_PATIENCE = timedelta(seconds=15)
_COLUMNS = {"Due": DUE, "Running": RUNNING, "Later": LATER, "Held": HELD, "Failed": FAILED}


@dataclass
class Queue:
    name: str
    messages: int | None
    listeners: int = 0
    oldest: timedelta | None = None
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def cells(self) -> list[tuple[str, int]]:
        return [(label, self.counts[state]) for label, state in _COLUMNS.items()]

    @property
    def is_unheard(self) -> bool:
        return not self.listeners and self.oldest is not None and self.oldest > _PATIENCE


@dataclass(frozen=True)
class Process:
    role: str
    host: str
    pid: int
    queues: list[str]
    age: timedelta
    memory_kb: int
    children: int
    work: list["Row"]


@dataclass(frozen=True)
class Row:
    """A piece of work, with how long it has waited or run."""

    work: Work
    age: timedelta


@dataclass(frozen=True)
class Reason:
    kind: str
    text: str
    count: int
    last: datetime


@dataclass(frozen=True)
class Bar:
    """Papers that ended between `start` and the next bar's."""

    start: datetime
    ready: int
    failed: int


@dataclass(frozen=True)
class Ops:
    now: datetime
    is_broker_up: bool
    queues: list[Queue]
    processes: list[Process]
    running: list[Row]
    waiting: list[Row]
    dispatched: timedelta | None
    canaries: dict[str, timedelta | None]
    sweep: ArchiveSweep | None
    damaged: int

    @property
    def unheard(self) -> list[Queue]:
        return [queue for queue in self.queues if queue.is_unheard]

    def has(self, role: str) -> bool:
        return any(process.role == role for process in self.processes)

    @property
    def has_beat(self) -> bool:
        return self.has(Role.BEAT)

    @property
    def has_dispatcher(self) -> bool:
        return self.has(Role.DISPATCHER)

    @property
    def is_dispatcher_stuck(self) -> bool:
        is_late = self.dispatched is None or self.dispatched > _SLOW_DISPATCHER
        return self.has_dispatcher and is_late

    @property
    def late_canaries(self) -> dict[str, timedelta | None]:
        return {
            queue: age for queue, age in self.canaries.items() if age is None or age > _SLOW_CANARY
        }


def read_ops() -> Ops:
    now = database_now()
    depths = _depths()
    here = list(presence.present().order_by("role", "host", "pid"))
    running = [Row(work, now - work.since) for work in running_work()]
    passed = Mark.objects.filter(name=counting.DISPATCHED).first()
    return Ops(
        now=now,
        is_broker_up=bool(depths),
        queues=_queues(now, workload(), depths, here),
        processes=[_process(one, now, running) for one in here],
        running=running,
        waiting=[Row(work, now - work.since) for work in oldest_waiting()],
        dispatched=now - passed.at if passed else None,
        canaries=canary_ages() if settings.CANARY_SECONDS else {},
        sweep=ArchiveSweep.objects.order_by("-created_at").first(),
        damaged=Document._base_manager.exclude(damage="").count(),
    )


def _depths() -> dict[str, int]:
    try:
        return broker.queue_depths()
    except BrokerError:
        return {}


def _queues(
    now: datetime, loads: list[Load], depths: dict[str, int], here: list[Presence]
) -> list[Queue]:
    queues = {name: Queue(name, depths.get(name)) for name in broker.queue_names()}
    for load in loads:
        queue = queues.setdefault(load.queue, Queue(load.queue, depths.get(load.queue)))
        queue.counts[load.state] += load.count
        if load.state == DUE and load.since is not None:
            queue.oldest = max(queue.oldest or timedelta(0), now - load.since)
    for one in here:
        for name in one.queues:
            if name in queues:
                queues[name].listeners += 1
    return list(queues.values())


def _process(one: Presence, now: datetime, running: list[Row]) -> Process:
    names = {f"{one.host}:{pid}" for pid in [one.pid, *one.children]}
    return Process(
        role=one.role,
        host=one.host,
        pid=one.pid,
        queues=one.queues,
        age=now - one.since,
        memory_kb=one.memory_kb,
        children=len(one.children),
        work=[row for row in running if row.work.claimed_by in names],
    )


def failures_by_reason() -> list[Reason]:
    """Of the last day, the most frequent first; also those that were put away."""
    first, *others = [
        model._base_manager.filter(state=WorkState.FAILED, finished_at__gt=Now() - _DAY)
        .order_by()
        .values(
            work_kind=models.Value(str(model._meta.verbose_name), models.CharField()),
            reason=Substr("failure", 1, 160),
        )
        .annotate(count=models.Count("pk"), last=models.Max("finished_at"))
        .values_list("work_kind", "reason", "count", "last")
        for model in leased_models()
    ]
    found: Any = first.union(*others, all=True).order_by("-count")
    return [Reason(*row) for row in found[:_MOST_REASONS]]


def throughput(*, hours: int) -> list[Bar]:
    """Papers of the last hour by two minutes, or of a day by the hour; up to the present."""
    width = timedelta(minutes=2) if hours == 1 else timedelta(hours=1)
    now = database_now()
    count = timedelta(hours=hours) // width
    first = now.replace(minute=0 if hours > 1 else now.minute, second=0, microsecond=0)
    first -= width * (count - 1)
    rows = PaperMinute.objects.filter(minute__gte=first)
    papers: Counter[tuple[int, str]] = Counter()
    for minute, outcome, number in rows.values_list("minute", "outcome", "papers"):
        papers[(minute - first) // width, outcome] += number
    return list(_bars(first, width, count, papers))


def _bars(
    first: datetime, width: timedelta, count: int, papers: "Counter[tuple[int, str]]"
) -> Iterator[Bar]:
    for place in range(count):
        ready = papers[place, DocumentState.READY]
        failed = papers[place, DocumentState.FAILED]
        yield Bar(first + width * place, ready, failed)
