"""`python -m bench [QUESTION ...]`: measure, print a table, write bench/results/QUESTION.json.

Runs on a throw-away SQLite database unless DATABASE_URL names one.
"""

import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="pressroom-bench-") as folder:
        os.environ["PRESSROOM_VAR_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from bench import pages, pipeline, planning, recompute

        questions = {
            "pipeline": pipeline.measure,
            "planning": planning.measure,
            "pages": pages.measure,
            "recompute": recompute.measure,
        }
        call_command("migrate", interactive=False, verbosity=0)
        for name in names or list(questions):
            _report(name, questions[name]())
    return 0


def _report(name: str, figures: dict[str, Any]) -> None:
    print(f"\n{name}")
    for key, value in figures.items():
        print(f"  {key:<44} {value}")
    RESULTS.mkdir(exist_ok=True)
    facts = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "command": f"python -m bench {name}",
    }
    text = json.dumps({**facts, **figures}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
