"""`python -m bench.load`: ever more people, until p95 of pages passes 500 ms.

Exit code 1 if anybody got an error, or anything is lost. LOAD_PEOPLE=20,40,... are the steps,
LOAD_SECONDS how long each is measured, LOAD_PARTIES how many parties the books have.
"""

import os
import sys
from dataclasses import asdict
from functools import partial
from typing import Any

from bench.load import report
from bench.load.figures import Step, alone, bound, knee, table
from bench.load.people import Plan
from bench.load.stack import Stack, stack
from bench.load.watching import Database, Watch, look
from bench.load.working import is_sound, outcome, people, plan, seeded, steps_of

LIMIT = 500.0  # milliseconds: p95 of pages
PEOPLE = "10,20,30,40,50,60,70,80,100,120,150,200"


def main() -> int:
    steps = [int(word) for word in os.environ.get("LOAD_PEOPLE", PEOPLE).split(",")]
    facts = report.facts("make load")
    with stack() as made:
        told = facts | measure(
            made,
            steps=steps,
            parties=int(os.environ.get("LOAD_PARTIES", "20000")),
            seconds=float(os.environ.get("LOAD_SECONDS", "25")),
            limit=LIMIT,
            ramp=15.0,
            settle=3.0,
        )
    for line in lines(told):
        print(line)
    print(f"written: {report.write('load', told)}")
    return 0 if told["sound"] else 1


def measure(
    made: Stack, *, steps: list[int], parties: int, limit: float, **how: Any
) -> dict[str, Any]:
    books = seeded(made, parties=parties, people=max(steps)) | {"parties": parties}
    made.up()
    planned = plan(made, books, steps=steps, limit=limit, **how)
    told, looks = _work(made, planned, books["company"])
    done = steps_of(told, looks)
    return {
        "invoices before": books["invoices"],
        "limit_ms": limit,
        "sound": is_sound(told),
        **_what_happened(told),
        "knee": _knee(done, limit),
        "steps": [asdict(step) for step in done],
    }


def _work(made: Stack, planned: Plan, company: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    database = Database(made.database_url)
    with people(made, planned) as crowd:
        parts = {**made.pids(), "database": database.postmaster(), "people": crowd.pid}
        with Watch(partial(look, parts, database), every=1.0).ing() as watch:
            if crowd.wait():
                raise RuntimeError("the people's process failed, see above")
    return outcome(made, planned, company), watch.looks


def _what_happened(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "answers": told["answers"],
        "invoices entered": len(told["entered"]),
        "papers asked for": len(told["asked"]),
        "answered 5xx, says the web": told["answered 5xx, says the web"],
        "failures": told["failures"],
        "complaints": told["complaints"],
    }


def _knee(done: list[Step], limit: float) -> dict[str, Any]:
    found, passed = knee(done, limit), next((it for it in done if it.p95 > limit), None)
    return {
        "people": found.users if found else 0,
        "requests a second": found.requests_a_second if found else 0,
        "passed at": passed.users if passed else None,
        "bound by": bound(passed) if passed else "the limit was not reached",
        **alone(done[-1]),
    }


def lines(told: dict[str, Any]) -> list[str]:
    knee_at = told["knee"]
    happened = (
        f"{told['answers']} answers, {told['invoices entered']} invoices entered,"
        f" {told['papers asked for']} papers asked for, {told['answered 5xx, says the web']} of 5xx"
    )
    verdict = "nothing lost, no error" if told["sound"] else "NOT SOUND"
    return [
        "",
        *table([Step(**step) for step in told["steps"]]),
        "",
        f"knee: {knee_at['people']} people, {knee_at['requests a second']} requests a second;"
        f" p95 passes {told['limit_ms']:.0f} ms at {knee_at['passed at']}",
        f"bound by {knee_at['bound by']}",
        f"{knee_at['processor ms an answer']} ms of a processor an answer, the users' own share"
        f" and all PDFs in it: {knee_at['answers a second, if all processors were ours']} a second"
        " if nothing else ran here",
        f"{happened}: {verdict}",
        *report.shown([f"{it['name']}: {it['what']}" for it in told["failures"]]),
        *report.shown(told["complaints"]),
    ]


if __name__ == "__main__":
    sys.exit(main())
