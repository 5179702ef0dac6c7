"""What a question finds: figures, the bars they are held against, and curves of growth."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Bar:
    """A promise: `value` at most (or at least) `limit`. None: it could not be measured, `why`."""

    name: str
    value: float | None
    limit: float
    unit: str = "x"
    at_least: bool = False
    why: str = ""

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        holds = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "pass" if holds else "FAIL"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "bar": f"{'>=' if self.at_least else '<='} {self.limit:g} {self.unit}",
            "verdict": self.verdict,
            "why": self.why,
        }


@dataclass(frozen=True)
class Curve:
    """Measured at 1x, 10x, mostly 100x. `works`: time should grow as x does, else hardly at all."""

    name: str
    x: str
    y: str
    points: Sequence[tuple[float, float]]
    works: bool

    def as_bar(self) -> Bar:
        """Over ten times the data: not twice the proportional time, or not twice the time."""
        (x1, y1), *_, (x2, y2) = self.points
        times = y2 / y1 / (x2 / x1 if self.works else 1)
        name = f"{self.name}: {x2 / x1:g}x the data, time{' a unit' if self.works else ''}"
        return Bar(name, round(times, 2), 1.3 if self.works else 2.0)


@dataclass
class Findings:
    figures: dict[str, Any] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)


def seconds(do: Callable[[], object]) -> float:
    started = perf_counter()
    do()
    return perf_counter() - started


class Cost(NamedTuple):
    """Seconds by the clock, and on a processor, which what else runs hardly changes."""

    wall: float
    processor: float


def cost(do: Callable[[], object]) -> Cost:
    started, used = perf_counter(), process_time()
    do()
    return Cost(perf_counter() - started, process_time() - used)


def quantile(times: Sequence[float], part: float) -> float:
    """The smallest of `times` that so large a part of them does not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def spread(times: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    parts = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {name: round(1000 * quantile(times, part), 1) for name, part in parts.items()}


def milliseconds(times: Sequence[float]) -> float:
    return round(1000 * statistics.median(times), 2)
