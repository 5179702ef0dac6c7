"""When and where it was measured, and what it came to, as a file and as lines on the screen."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.report import RESULTS, machine


def facts(command: str) -> dict[str, Any]:
    return {
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": {"before": round(os.getloadavg()[0], 2)},
        "python": platform.python_version(),
    }


def write(name: str, told: dict[str, Any]) -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    told["load"]["after"] = round(os.getloadavg()[0], 2)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def shown(complaints: list[str], most: int = 20) -> list[str]:
    lines = [f"  {complaint}" for complaint in complaints[:most]]
    return [*lines, f"  and {len(complaints) - most} more"] if len(complaints) > most else lines
