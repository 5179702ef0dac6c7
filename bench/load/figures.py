"""Percentiles of a step, the knee, and what bounds it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.load.browser import Kind, Record

OTHERS = 0.15  # of the processors: with more in other hands nothing was measured of ours
HEAD = ("people", "requests/s", "pages/s", "p50 ms", "p95 ms", "p99 ms", "PDF p95 ms", "errors")


@dataclass
class Step:
    """So many people at work, measured for a while after the last of them had come."""

    users: int
    began: float
    ended: float
    requests_a_second: float
    pages_a_second: float
    p50: float
    p95: float
    p99: float
    errors: int
    # Milliseconds at p50 and p95, and how many: by kind of answer, and by name.
    kinds: dict[str, list[float]] = field(default_factory=dict)
    names: dict[str, list[float]] = field(default_factory=dict)
    meanwhile: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, users: int, began: float, ended: float, record: Record) -> "Step":
        kinds: dict[str, list[float]] = defaultdict(list)
        names: dict[str, list[float]] = defaultdict(list)
        for sample in list(record.samples):
            if began <= sample.at < ended:
                kinds[sample.kind].append(sample.milliseconds)
                names[f"{sample.kind}: {sample.name}"].append(sample.milliseconds)
        errors = sum(began <= float(str(it["at"])) < ended for it in list(record.failures))
        pages, seconds = kinds[Kind.PAGE], ended - began
        answers = sum(len(times) for kind, times in kinds.items() if kind != Kind.PAPER)
        return cls(
            users=users,
            began=began,
            ended=ended,
            requests_a_second=round(answers / seconds, 1),
            pages_a_second=round(len(pages) / seconds, 1),
            p50=percentile(pages, 50),
            p95=percentile(pages, 95),
            p99=percentile(pages, 99),
            errors=errors,
            kinds={kind: _short(times) for kind, times in sorted(kinds.items()) if times},
            names={name: _short(times) for name, times in sorted(names.items())},
        )

    def row(self) -> list[str]:
        paper = self.kinds.get(Kind.PAPER, [0.0, 0.0])[1]
        figures = (self.requests_a_second, self.pages_a_second)
        times = (self.p50, self.p95, self.p99, paper)
        words = [f"{it:.1f}" for it in figures] + [f"{it:.0f}" for it in times]
        return [str(self.users), *words, str(self.errors)]

    def line(self) -> str:
        return "  ".join(f"{name} {value}" for name, value in zip(HEAD, self.row(), strict=True))


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed; 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    place = max(0, -(-len(ordered) * percent // 100) - 1)
    return round(ordered[int(place)], 1)


def _short(times: Sequence[float]) -> list[float]:
    return [percentile(times, 50), percentile(times, 95), len(times)]


def table(steps: Sequence[Step]) -> list[str]:
    """As Markdown."""
    rows = [list(HEAD), ["---:"] * len(HEAD), *(step.row() for step in steps)]
    return [f"| {' | '.join(row)} |" for row in rows]


def knee(steps: Sequence[Step], limit: float) -> Step | None:
    """The most people whose pages came within the limit, before it was first passed."""
    within = None
    for step in steps:
        if step.p95 > limit:
            break
        within = step
    return within


def alone(step: Step) -> dict[str, float]:
    """What an answer costs in processor time, and how many a second that lets through at most."""
    seen = step.meanwhile
    ours = sum(used for name, used in seen["processors used"].items() if name != "all else")
    each = ours / step.requests_a_second if step.requests_a_second else 0.0
    return {
        "processor ms an answer": round(1000 * each, 1),
        "answers a second, if all processors were ours": round(seen["processors"] / each, 1)
        if each
        else 0.0,
    }


def bound(step: Step) -> str:
    """What gives in at this step, by what was seen meanwhile."""
    seen = step.meanwhile
    processors, threads = seen["processors"], seen["web threads"]
    parts = ", ".join(
        f"{name} {seconds:.2f}"
        for name, seconds in sorted(seen["processors used"].items(), key=lambda it: -it[1])
    )
    used = f"of {processors} processors {seen['busy']:.2f} were busy ({parts})"
    waiting = f"{seen['busy threads']:.1f} of {threads} web threads held a request"
    locks = f"{seen['waiting for locks']:.2f} database sessions waited for a lock"
    return f"{_cause(seen)}: {used}; {waiting}; {locks}"


def _cause(seen: dict[str, Any]) -> str:
    processors, threads = seen["processors"], seen["web threads"]
    if seen["processors used"]["all else"] >= OTHERS * processors:
        return "other work on this machine, so this is no figure of ours"
    if seen["busy"] >= 0.9 * processors:
        return "the processors"
    if seen["busy threads"] < 0.85 * threads:
        return "nothing that was watched"
    return "row locks" if seen["waiting for locks"] >= 0.25 * threads else "the web's threads"
