"""How many papers a second do more workers make, and what gives in first?

First real statements with one and two worker processes on this machine. Then 1 to 100 of them, with
rendering replaced by a sleep as long as the processor time that a paper was just measured to take:
claim, file, record, dispatcher, broker and database are real. Processor time is counted by part,
since on one machine the workers' own share ends the growth before database or dispatcher do; these
are measured alone (bench/limits.py). Needs PostgreSQL and Linux; what else runs is told as load.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Avg, F, Max, Min

from accounts.models import Company
from bench import limits
from bench.data import PERIOD, books
from billing.services import start_statement_run
from documents.models import Batch, BatchState, Document
from documents.services.batches import start_batch
from worker import broker
from worker.models import Presence, Role

ROOT = Path(__file__).resolve().parent.parent
NARROW = 20  # messages at a time, at which a dispatcher's window is felt on any machine
_CHILDREN_EACH = 25  # of one worker's parent process
_TICKS = os.sysconf("SC_CLK_TCK")


def measure() -> dict[str, Any]:
    if connection.vendor != "postgresql":
        return {"skipped": "needs PostgreSQL"}
    counts = [int(n) for n in os.environ.get("BENCH_WORKERS", "1,10,30,100").split(",")]
    one = _real(1)
    two = _real(2)
    figures = _named("real, 1 worker", one) | _named("real, 2 workers", two)
    figures["real, two over one"] = round(two["papers a second"] / one["papers a second"], 2)
    # Not the seconds that a render took: those grow with what else the machine does.
    seconds = one["processor ms a paper, workers"] / 1000
    for count in counts:
        figures |= _named(f"simulated, {count}", _simulated(count, seconds))
    narrow = _simulated(30, seconds, PRESSROOM_DISPATCH_WINDOW=str(NARROW))
    figures |= _named(f"simulated, 30, a window of {NARROW}", narrow)
    return figures | limits.measure()


def _named(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    print(name, facts, file=sys.stderr, flush=True)  # a later one may not come to its end
    return {f"{name}: {key}": value for key, value in facts.items()}


def _real(workers: int) -> dict[str, Any]:
    company = books(int(os.environ.get("BENCH_PARTIES", "200")), seed=workers)

    def start() -> Batch:
        return start_statement_run(company=company, period=PERIOD, by=None)

    return _run(start, [1] * workers, {"DJANGO_SETTINGS_MODULE": "config.settings"})


def _simulated(children: int, seconds: float, **more: str) -> dict[str, Any]:
    slug = "-".join(["sim", str(children), *more.values()])
    company = Company.objects.create(slug=slug, legal_name="Sim", country="GB")
    most = NARROW * 15 if more else int(os.environ.get("BENCH_PAPERS", "1500"))
    count = min(int(15 / seconds) * children, most)

    def start() -> Batch:
        from bench.simulated import rendering

        rendering.take_over()
        return start_batch(
            company=company, kind="simulated", title="Sim", parameters={"count": count}, by=None
        )

    workers = -(-children // _CHILDREN_EACH)
    each = [children // workers] * workers
    env = {
        "DJANGO_SETTINGS_MODULE": "bench.simulated.settings",
        "BENCH_RENDER_SECONDS": str(seconds),
        **more,
    }
    return _run(start, each, env)


def _run(start: Callable[[], Batch], each: list[int], env: dict[str, str]) -> dict[str, Any]:
    env = {**os.environ, **env}
    Presence.objects.all().delete()
    with ExitStack() as stack:
        relay = stack.enter_context(_process("dispatcher", env, "manage.py", "dispatcher"))
        workers = [
            stack.enter_context(_process(f"worker{n}", env, *_worker(n, children)))
            for n, children in enumerate(each)
        ]
        _until(lambda: Presence.objects.filter(role=Role.WORKER).count() == len(each), 600)
        parts = {"workers": workers, "dispatcher": [relay]}
        pids = {name: [it.pid for it in them] for name, them in parts.items()}
        pids |= {"database": [_postmaster()], "broker": [_broker()]}
        before = {name: _processor_seconds(them) for name, them in pids.items()}
        batch = start()
        _until(lambda: Batch._base_manager.get(pk=batch.pk).state == BatchState.DONE, 600)
        used = {name: _processor_seconds(them) - before[name] for name, them in pids.items()}
    return _figures(batch, used)


def _worker(number: int, children: int) -> list[str]:
    arguments = ["-m", "celery", "-A", "worker", "worker", "--loglevel", "WARNING"]
    return [*arguments, "-Q", "batch", "-c", str(children), "-n", f"bench{number}@%h"]


def _figures(batch: Batch, used: dict[str, float]) -> dict[str, Any]:
    papers = Document._base_manager.filter(batch_items__batch=batch, state="ready")
    found = papers.aggregate(
        first=Min("started_at"),
        last=Max("finished_at"),
        held=Avg(F("finished_at") - F("started_at")),
        rendered=Avg("render_milliseconds"),
        most=Max("attempts"),
    )
    count, took = papers.count(), (found["last"] - found["first"]).total_seconds()
    facts = {
        "papers": count,
        "papers a second": round(count / took, 1),
        "seconds a render": round(found["rendered"] / 1000, 3),
        "seconds from claim to record": round(found["held"].total_seconds(), 3),
        "attempts, at most": found["most"],
    }
    for name, seconds in used.items():
        facts[f"processor ms a paper, {name}"] = round(1000 * seconds / count, 2)
    return facts


@contextmanager
def _process(name: str, env: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    log = Path(settings.VAR_DIR) / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=env, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s; logs in {settings.VAR_DIR}")
        time.sleep(0.2)


def _broker() -> int:
    return int(broker.information("server")["process_id"])


def _postmaster() -> int:
    """The database's first process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(_fields(Path(f"/proc/{cursor.fetchone()[0]}/stat"))[1])


def _processor_seconds(roots: list[int]) -> float:
    """Of these processes and all below them, those that ended included."""
    ticks: dict[int, int] = {}
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields, pid = _fields(stat), int(stat.parent.name)
            parents[pid] = int(fields[1])
            ticks[pid] = sum(int(field) for field in fields[11:15])
    return sum(used for pid, used in ticks.items() if _is_below(pid, roots, parents)) / _TICKS


def _is_below(pid: int, roots: list[int], parents: dict[int, int]) -> bool:
    """A number that is larger than its parent's is not the rule: they begin anew."""
    while pid not in roots:
        if pid not in parents:
            return False
        pid = parents[pid]
    return True


def _fields(stat: Path) -> list[str]:
    """From the state on: a program's name may hold blanks."""
    return stat.read_text().rpartition(")")[2].split()
