"""`python -m bench [QUESTION ...]`: measure, print a table, write bench/results/QUESTION.json.

Runs on a throw-away SQLite database unless DATABASE_URL names one; `scaling`, which takes minutes
and is left out unless it is asked for, on a throw-away PostgreSQL that writes as a real one does.
"""

import json
import os
import platform
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pressroom-bench-"))
        os.environ["PRESSROOM_VAR_DIR"] = folder
        if "scaling" in names and "DATABASE_URL" not in os.environ:
            os.environ["DATABASE_URL"] = stack.enter_context(_postgresql(Path(folder)))
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from bench import pages, pipeline, planning, recompute, scaling

        questions = {
            "pipeline": pipeline.measure,
            "planning": planning.measure,
            "pages": pages.measure,
            "recompute": recompute.measure,
            "scaling": scaling.measure,
        }
        call_command("migrate", interactive=False, verbosity=0)
        for name in names or [name for name in questions if name != "scaling"]:
            _report(name, questions[name]())
    return 0


def _postgresql(folder: Path) -> AbstractContextManager[str]:
    from tests import servers

    folder.chmod(0o711)  # root runs it as somebody else
    (folder / "postgresql").mkdir()
    return servers.postgresql(folder / "postgresql", {**servers.SETTINGS, **_DURABLE})


def _report(name: str, figures: dict[str, Any]) -> None:
    print(f"\n{name}")
    for key, value in figures.items():
        print(f"  {key:<44} {value}")
    RESULTS.mkdir(exist_ok=True)
    facts = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "command": " ".join([*_choices(), f"python -m bench {name}"]),
    }
    text = json.dumps({**facts, **figures}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _choices() -> list[str]:
    return [f"{name}={it}" for name, it in sorted(os.environ.items()) if name.startswith("BENCH_")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
