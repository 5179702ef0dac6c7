"""One run: the stack comes up, people work while it is watched, and the books are read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.load.figures import Step
from bench.load.people import Plan
from bench.load.stack import HOST, ROOT, WEB_PROCESSES, WEB_THREADS, Stack
from bench.load.watching import in_the_web, meanwhile, served


def seeded(stack: Stack, *, parties: int, people: int) -> dict[str, Any]:
    out = stack.folder / "seeded.json"
    stack.call("seed", str(parties), str(people), str(out))
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def plan(stack: Stack, books: dict[str, Any], **how: Any) -> Plan:
    return Plan(
        host=HOST,
        port=stack.port,
        emails=books["emails"],
        password=books["password"],
        parties=books["parties"],
        busy=books["busy"],
        invoices=books["invoices"],
        out=str(stack.folder / "people.json"),
        **how,
    )


@contextmanager
def people(stack: Stack, made: Plan) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of all people; they go home by themselves, or with a signal if we fail."""
    path = stack.folder / "plan.json"
    path.write_text(json.dumps(asdict(made)))
    process = subprocess.Popen([sys.executable, "-m", "bench.load.people", str(path)], cwd=ROOT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def outcome(stack: Stack, made: Plan, company: str) -> dict[str, Any]:
    """What people told, and under `complaints` what the books say against it."""
    told: dict[str, Any] = json.loads(Path(made.out).read_text())
    audited = stack.folder / "audited.json"
    stack.call("audit", company, made.out, str(audited))
    told["complaints"] = json.loads(audited.read_text())
    requests = served(stack.log("web"))
    told["answered 5xx, says the web"] = sum(status >= 500 for _, _, status in requests)
    told["served"] = requests
    return told


def steps_of(told: dict[str, Any], looks: list[dict[str, Any]]) -> list[Step]:
    steps = [Step(**step) for step in told["steps"]]
    for step in steps:
        step.meanwhile = meanwhile(looks, step.began, step.ended)
        step.meanwhile |= in_the_web(
            told["served"], step.began, step.ended, WEB_PROCESSES * WEB_THREADS
        )
    return steps


def is_sound(told: dict[str, Any]) -> bool:
    """Nobody got an error or no answer, and nothing that was asked for is lost."""
    wrong = (told["failures"], told["complaints"], told["answered 5xx, says the web"])
    return bool(told["answers"]) and not any(wrong)
