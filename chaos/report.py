"""What the run says at its end, and the file that keeps it."""

import json
import os
import platform
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos.books import Line
from chaos.recovery import Struck
from chaos.scene import Options

RESULTS = Path(__file__).parent / "results"
SLOWEST_P99 = 60.0  # seconds from a fault's end
_MOST_NAMED = 5


@dataclass
class Report:
    options: Options
    command: str
    struck: list[Struck]
    books: list[Line]
    facts: dict[str, Any] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)  # of the harness itself

    @property
    def damage(self) -> list[str]:
        return [f"{line.promise}: {it}" for line in self.books for it in line.damage]

    @property
    def recoveries(self) -> list[float]:
        return sorted(it.recovery for it in self.struck if it.recovery is not None)

    @property
    def is_late(self) -> bool:
        missing = any(it.recovery is None for it in self.struck)
        return missing or quantile(self.recoveries, 0.99) > SLOWEST_P99

    @property
    def is_good(self) -> bool:
        return not (self.damage or self.is_late or self.troubles)

    # --- For people ------------------------------------------------------------------------------
    def print(self) -> None:
        for line in [*self._faults(), "", *self._books(), "", *self._summary()]:
            print(line, flush=True)

    def _faults(self) -> list[str]:
        lines = [f"{'fault':<38}{'times':>6}{'lasted':>8}{'median':>8}{'p99':>8}{'max':>8}  s"]
        for name, rows in sorted(_by_name(self.struck).items()):
            times = sorted(it.recovery for it in rows if it.recovery is not None)
            lasted = sum(it.lasted for it in rows) / len(rows)
            figures = [lasted, quantile(times, 0.5), quantile(times, 0.99), max(times, default=0)]
            lines.append(f"{name:<38}{len(rows):>6}" + "".join(f"{it:>8.1f}" for it in figures))
            never = sum(it.recovery is None for it in rows)
            if never:
                lines.append(f"    {never} of them: no recovery seen")
        return lines

    def _books(self) -> list[str]:
        lines = []
        for line in self.books:
            word = "DAMAGE" if line.damage else "ok"
            lines.append(f"{word:<8}{line.promise:<46}{line.looked_at}")
            lines += [f"        {it}" for it in line.damage[:_MOST_NAMED]]
            if len(line.damage) > _MOST_NAMED:
                lines.append(f"        and {len(line.damage) - _MOST_NAMED} more")
        return lines

    def _summary(self) -> list[str]:
        times = self.recoveries
        lines = [f"{name:<38}{value}" for name, value in self.facts.items()]
        lines += [f"TROUBLE {it}" for it in self.troubles[:10]]
        lines.append(
            f"recovery after {len(self.struck)} faults: median {quantile(times, 0.5):.1f} s,"
            f" p99 {quantile(times, 0.99):.1f} s, max {max(times, default=0):.1f} s"
        )
        lines.append("good" if self.is_good else "NOT good")
        return lines

    # --- For machines ----------------------------------------------------------------------------
    def write(self, path: Path | None) -> Path:
        own = f"{self.options.docs}-{self.options.faults}-seed{self.options.seed}"
        path = path or RESULTS / f"{own}-{self.options.pace}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")
        return path

    def as_dict(self) -> dict[str, Any]:
        times = self.recoveries
        return {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "command": self.command,
            "is_good": self.is_good,
            **self.facts,
            "recovery": {
                "faults": len(self.struck),
                "median": quantile(times, 0.5),
                "p99": quantile(times, 0.99),
                "max": max(times, default=0.0),
            },
            "faults": [
                {
                    "name": it.fault.name,
                    "round": it.round,
                    "lasted": _short(it.lasted),
                    "recovery": _short(it.recovery),
                    "paper asked for at its end": _short(it.probe),
                }
                for it in self.struck
            ],
            "books": [
                {"promise": it.promise, "looked_at": it.looked_at, "damage": it.damage[:50]}
                for it in self.books
            ],
            "troubles": self.troubles,
        }


def quantile(times: Sequence[float], share: float) -> float:
    """The smallest time that at least this share of them does not exceed."""
    if not times:
        return 0.0
    return times[min(len(times) - 1, int(share * len(times) + 0.999999) - 1)]


def _by_name(struck: list[Struck]) -> dict[str, list[Struck]]:
    names: defaultdict[str, list[Struck]] = defaultdict(list)
    for it in struck:
        names[it.fault.name].append(it)
    return names


def _short(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
