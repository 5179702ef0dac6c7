"""A run of statements: what share planning is, how many are made a second, what memory it takes.

Planned in this process, made by two workers. Children are replaced after so many papers, as they
are in production; memory is what a process holds for itself (Pss: what is shared is shared out).
"""

import statistics
import threading
from pathlib import Path

from django.conf import settings

from bench.data import books
from bench.findings import Bar, Findings, seconds
from bench.pipeline import planned, rate_of
from bench.servers import Running, at_work, fresh, until
from bench.sizes import Size
from documents.models import Batch, BatchState, Document

_EVERY = 0.5
_EARLY = 50  # papers after which a child has seen what it will see
_WORKERS = 2


class Memory:
    """Of each process, in MB, by how many papers were made by then."""

    def __init__(self, groups: dict[str, list[Running]], batch: Batch) -> None:
        self._groups, self._batch = groups, batch
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.looks: list[tuple[int, dict[str, float]]] = []

    def __enter__(self) -> "Memory":
        self._note(0)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(_EVERY):
            made = Document._base_manager.filter(batch_items__batch=self._batch, state="ready")
            self._note(made.count())

    def _note(self, made: int) -> None:
        sizes = {}
        for name, group in self._groups.items():
            pids = [pid for process in group for pid in process.pids]
            for place, pid in enumerate(pids):
                role = name if name == "dispatcher" else ("parent", "child")[place % 2]
                held = _held(pid)
                sizes[role] = max(sizes.get(role, 0), held)
        self.looks.append((made, sizes))

    def between(self, first: int, last: int) -> dict[str, float]:
        """The median while so many papers were made."""
        seen = [sizes for made, sizes in self.looks if first <= made <= last] or [self.looks[-1][1]]
        roles = {role for sizes in seen for role in sizes}
        return {
            role: round(statistics.median(sizes.get(role, 0) for sizes in seen), 1)
            for role in sorted(roles)
        }


def _held(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0  # replaced at this moment
    return int(rollup.partition("\nPss:")[2].split()[0]) / 1024


def measure(size: Size) -> Findings:
    found = Findings()
    fresh()
    company = books(size.planned, days=31)
    planning = seconds(lambda: planned(company))
    found.figures[f"planning {size.planned} statements, s"] = round(planning, 2)
    rate, memory = _made(size.run)
    found.figures["statements a second, two workers"] = round(rate, 1)
    whole = planning + size.planned / rate
    found.figures[f"{size.planned} statements, s, at this pace"] = round(whole)
    found.figures["100,000 statements, minutes, at this pace"] = round(100_000 / rate / 60, 1)
    found.bars.append(Bar("planning, of a run's time", round(100 * planning / whole, 2), 5, "%"))
    _note_memory(found, memory, size.run)
    return found


def _made(statements: int) -> tuple[float, Memory]:
    fresh()
    company = books(statements, days=31, seed=2)
    with at_work(batch=_WORKERS) as processes:
        batch = planned(company)
        with Memory(processes, batch) as memory:
            until(lambda: Batch._base_manager.get(pk=batch.pk).state == BatchState.DONE, 7200)
        return rate_of(batch), memory


def _note_memory(found: Findings, memory: Memory, made: int) -> None:
    many = min(made, 5_000)
    after = {
        "at the start": memory.between(0, 0),
        f"after {_EARLY} papers": memory.between(_EARLY, max(2 * _EARLY, made // 20)),
        f"after {many} papers": memory.between(round(0.9 * many), round(1.1 * many)),
    }
    for when, sizes in after.items():
        for role, megabytes in sizes.items():
            found.figures[f"memory {when}, {role}, MB"] = megabytes
    _, early, late = (sizes["child"] for sizes in after.values())
    found.figures["a child is replaced after papers"] = settings.CELERY_WORKER_MAX_TASKS_PER_CHILD
    found.bars.append(Bar(f"a worker's child after {many} papers", round(late / early, 2), 1.3))
