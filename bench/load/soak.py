"""`python -m bench.load.soak --minutes 30`: a few people for a long time; does anything grow?

Exit code 1 if something does, if anybody got an error, or anything is lost. What is looked at and
what may grow by how much is in flatness.py. `--people` is how many are at work; `--recycle` after
how many papers a worker's child is replaced: sooner than in production, so that it happens often.
"""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench.load import report
from bench.load.figures import Step
from bench.load.flatness import Rule, judged
from bench.load.holdings import holdings
from bench.load.people import Plan
from bench.load.stack import Stack, stack
from bench.load.watching import Database, Watch, look
from bench.load.working import is_sound, outcome, people, plan, seeded, steps_of

EVERY = 10.0  # seconds between two looks
WARM_UP = 0.25  # of the time: pools fill, caches fill, code is imported


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--parties", type=int, default=5000)
    parser.add_argument("--recycle", type=int, default=25)
    asked = parser.parse_args(arguments)
    facts = report.facts(f"make soak MINUTES={asked.minutes:g}")
    with stack(PRESSROOM_MAX_TASKS_PER_CHILD=str(asked.recycle)) as made:
        told = facts | measure(
            made, minutes=asked.minutes, at_work=asked.people, parties=asked.parties
        )
    for line in lines(told):
        print(line)
    print(f"written: {report.write('soak', told)}")
    return 0 if told["sound"] and told["flat"] else 1


def measure(made: Stack, *, minutes: float, at_work: int, parties: int) -> dict[str, Any]:
    books = seeded(made, parties=parties, people=at_work) | {"parties": parties}
    made.up()
    _use_each_part_once(made, books)
    planned = plan(
        made,
        books,
        steps=[at_work],
        ramp=2.0 * at_work,
        settle=0.0,
        seconds=60 * minutes,
        limit=float("inf"),
    )
    looks = _watched(made, planned)
    told = outcome(made, planned, books["company"])
    (step,) = steps_of(told, looks)
    looks = [it for it in looks if step.began <= it["at"] <= step.ended]
    rules = judged([(it["at"], it["held"]) for it in looks], WARM_UP)
    return {"minutes": minutes, "people": at_work} | _told(told, step, rules)


def _use_each_part_once(made: Stack, books: dict[str, Any]) -> None:
    """A line to the broker or the database that is opened when it is first needed is no leak: the
    dispatcher has its own when it first publishes, a child of a worker at its first work.
    """
    company = ("--company", books["company"])
    parties = [word for code in books["busy"] for word in ("--party", code)]
    made.manage("run_statements", *company, "--period", books["period"], *parties, "--wait")


def _watched(made: Stack, planned: Plan) -> list[dict[str, Any]]:
    database = Database(made.database_url)
    with people(made, planned) as crowd:
        take = partial(_look, made, database, crowd.pid)
        with Watch(take, every=EVERY).ing() as watch:
            if crowd.wait():
                raise RuntimeError("the people's process failed, see above")
    return watch.looks


def _look(made: Stack, database: Database, crowd: int) -> dict[str, Any]:
    parts = {**made.pids(), "database": database.postmaster()}
    seen = look({**parts, "people": crowd}, database)
    return {**seen, "held": holdings(parts, database, _folders(made))}


def _folders(made: Stack) -> Mapping[str, Path]:
    return {
        "temporary": made.folder / "tmp",
        "drafts of the archive": made.folder / "archive",
        "broker": made.folder / "broker",
    }


def _told(told: dict[str, Any], step: Step, rules: list[Rule]) -> dict[str, Any]:
    return {
        "flat": all(rule.is_kept for rule in rules),
        "sound": is_sound(told),
        "answers": told["answers"],
        "invoices entered": len(told["entered"]),
        "papers asked for": len(told["asked"]),
        "answered 5xx, says the web": told["answered 5xx, says the web"],
        "failures": told["failures"],
        "complaints": told["complaints"],
        "p50, p95, p99 ms of pages": [step.p50, step.p95, step.p99],
        "meanwhile": step.meanwhile,
        "rules": [rule.told() for rule in rules],
    }


def lines(told: dict[str, Any]) -> list[str]:
    rows = [
        f"| {it['what']} | {it['at first']} | {it['at last']} | {it['grew']} | {it['may']}"
        f" | {'yes' if it['kept'] else 'NO'} |"
        for it in told["rules"]
        if it["shown"] or not it["kept"]
    ]
    happened = (
        f"{told['answers']} answers, {told['invoices entered']} invoices entered,"
        f" {told['papers asked for']} papers, {told['answered 5xx, says the web']} of 5xx"
    )
    return [
        "",
        "| what | after warming up | at the end | grew by | may | kept |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *rows,
        "",
        f"{happened}: {'nothing lost, no error' if told['sound'] else 'NOT SOUND'}",
        f"{len(told['rules'])} things were watched: {'flat' if told['flat'] else 'NOT FLAT'}",
        *report.shown([f"{it['name']}: {it['what']}" for it in told["failures"]]),
        *report.shown(told["complaints"]),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
