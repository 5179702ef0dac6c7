"""What processes and database do, looked at from outside while people work."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil
import psycopg2

from bench.load.figures import percentile

_SESSIONS = """
SELECT coalesce(state, ''), coalesce(wait_event_type, ''), coalesce(wait_event, '')
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_TOTALS = """
SELECT xact_commit, xact_rollback, deadlocks, temp_files, blks_read, blks_hit
FROM pg_stat_database WHERE datname = current_database()
"""
_TOTAL_NAMES = ("commits", "rollbacks", "deadlocks", "temp files", "blocks read", "blocks hit")


class Database:
    """A session of its own, that is not counted."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg2.connect(url, application_name="watching")
        self.connection.autocommit = True

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def postmaster(self) -> int:
        """The process above all of the database's own."""
        backend = int(self.rows("SELECT pg_backend_pid()")[0][0])
        return int(psutil.Process(backend).ppid())

    def look(self) -> dict[str, Any]:
        sessions = self.rows(_SESSIONS)
        waits = Counter(f"{kind}: {event}" for state, kind, event in sessions if state == "active")
        return {
            "sessions": len(sessions),
            "active": sum(state == "active" for state, _, _ in sessions),
            "idle in transaction": sum(state.startswith("idle in") for state, _, _ in sessions),
            "waiting for locks": sum(kind == "Lock" for _, kind, _ in sessions),
            "waits": dict(waits),
            **dict(zip(_TOTAL_NAMES, self.rows(_TOTALS)[0], strict=True)),
        }


def below(root: int) -> list[psutil.Process]:
    """A part's first process and all below it; none if it ended."""
    try:
        process = psutil.Process(root)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def processor_seconds(root: int) -> float:
    """Used so far, by those that ended and were reaped as well."""
    seconds = 0.0
    for process in below(root):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def look(parts: Mapping[str, int], database: Database) -> dict[str, Any]:
    times = psutil.cpu_times()
    return {
        "at": time.time(),
        "machine": sum(times) - times.idle - times.iowait - times.guest - times.guest_nice,
        "stolen": times.steal,
        "parts": {name: processor_seconds(pid) for name, pid in parts.items() if pid},
        "database": database.look(),
    }


class Watch:
    """Looks every `every` seconds until it is left."""

    def __init__(self, take: Callable[[], dict[str, Any]], every: float) -> None:
        self.looks: list[dict[str, Any]] = []
        self._take, self._every = take, every
        self._done = threading.Event()

    @contextmanager
    def ing(self) -> Iterator["Watch"]:
        thread = threading.Thread(target=self._run, daemon=True, name="watch")
        thread.start()
        try:
            yield self
        finally:
            self._done.set()
            thread.join()

    def _run(self) -> None:
        while not self._done.wait(self._every):
            self.looks.append(self._take())


def meanwhile(looks: Sequence[dict[str, Any]], began: float, ended: float) -> dict[str, Any]:
    """Between two moments: processors busy, and by whom; what the database's sessions did."""
    seen = [it for it in looks if began <= it["at"] <= ended]
    if len(seen) < 2:
        return {}
    first, last = seen[0], seen[-1]
    seconds = last["at"] - first["at"]
    used = {
        name: round((last["parts"].get(name, 0) - first["parts"].get(name, 0)) / seconds, 3)
        for name in last["parts"]
    }
    busy = (last["machine"] - first["machine"]) / seconds
    used["all else"] = round(max(0.0, busy - sum(used.values())), 3)
    sessions = [it["database"] for it in seen]
    return {
        "processors": psutil.cpu_count(),
        "busy": round(busy, 2),
        "stolen": round((last["stolen"] - first["stolen"]) / seconds, 3),
        "processors used": used,
        **{
            name: round(fmean(it[name] for it in sessions), 2)
            for name in ("active", "idle in transaction", "waiting for locks")
        },
        "sessions": max(it["sessions"] for it in sessions),
        "sessions waiting for a lock, at most": max(it["waiting for locks"] for it in sessions),
        "what active sessions waited for": _waits(sessions),
        **{
            f"{name} a second": round(
                (last["database"][name] - first["database"][name]) / seconds, 2
            )
            for name in _TOTAL_NAMES
        },
    }


def _waits(sessions: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How many sessions waited for what, at an average moment; `:` is none, they computed."""
    counted: Counter[str] = Counter()
    for each in sessions:
        counted.update(each["waits"])
    named = {name.strip(": ") or "nothing": many for name, many in counted.most_common(6)}
    return {name: round(many / len(sessions), 2) for name, many in named.items()}


def served(log: Path) -> list[tuple[float, int, int]]:
    """(when it was answered, milliseconds, status) of each request, as the web's log says."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        if '"event": "request"' not in line:
            continue
        told = json.loads(line)
        at = datetime.fromisoformat(told["timestamp"]).timestamp()
        found.append((at, int(told["milliseconds"]), int(told["status"])))
    return found


def in_the_web(
    requests: Sequence[tuple[float, int, int]], began: float, ended: float, threads: int
) -> dict[str, Any]:
    """What the web itself saw: what people waited beyond that, they waited for a thread."""
    times = [took for at, took, _ in requests if began <= at < ended]
    return {
        "web threads": threads,
        "busy threads": round(sum(times) / 1000 / (ended - began), 2),
        "answered within, p50 ms": percentile(times, 50),
        "answered within, p95 ms": percentile(times, 95),
    }
