"""`python -m chaos` as a process, with servers of its own, and what it found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.processes import ROOT


def chaos(folder: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Its exit code, its report, and what it printed."""
    report = folder / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "chaos", *words, "--to", str(report)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    printed = f"{done.stderr[-4000:]}\n{done.stdout[-6000:]}"
    print(printed)  # shown when a test fails
    assert report.exists(), printed
    return done.returncode, json.loads(report.read_text()), printed


def damaged(report: dict[str, Any]) -> dict[str, list[str]]:
    """By promise: where it was not kept."""
    return {line["promise"]: line["damage"] for line in report["books"] if line["damage"]}
