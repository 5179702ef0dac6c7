"""Percentiles, the knee, what bounds it, the right paper, and what counts as a leak."""

import io
import threading
from types import SimpleNamespace

import pikepdf
import pytest

from bench.load.browser import Kind, Record, Sample
from bench.load.figures import Step, alone, bound, knee, percentile
from bench.load.flatness import climbed, judged
from bench.load.people import Person, Plan, Work
from bench.load.watching import meanwhile


# --- Figures -------------------------------------------------------------------------------------
def step(users: int, p95: float) -> Step:
    return Step(users, 0, 1, 9, 3, p95 / 2, p95, p95 + 1, 0)


def test_a_percentile_is_a_value_that_was_measured():
    assert percentile(range(1, 101), 95) == 95
    assert percentile([7], 99) == 7
    assert percentile([], 50) == 0


def test_the_knee_is_before_the_limit_was_first_passed():
    steps = [step(10, 90), step(20, 480), step(30, 700), step(40, 400)]
    found = knee(steps, 500)
    assert found is not None
    assert found.users == 20
    assert knee([step(10, 501)], 500) is None


def test_a_step_counts_pages_within_its_time_and_tells_the_rest_apart():
    record = Record(
        [
            Sample(5.0, Kind.PAGE, "list", 9000.0),  # before it
            Sample(10.5, Kind.PAGE, "list", 100.0),
            Sample(11.0, Kind.PAGE, "list", 300.0),
            Sample(11.5, Kind.SIGN_IN, "sign in", 1500.0),
            Sample(11.6, Kind.PAPER, "PDF is ready", 2500.0),
        ],
        [{"at": 11.0, "name": "list", "what": "500 instead of 200"}],
    )
    made = Step.of(3, 10.0, 12.0, record)
    assert (made.p50, made.p95, made.errors) == (100.0, 300.0, 1)
    assert made.requests_a_second == 1.5  # a paper is no answer
    assert made.kinds["sign-in"][1] == 1500.0


def seen(**changes: object) -> Step:
    made = step(50, 600)
    made.meanwhile = {
        "processors": 2,
        "busy": 0.5,
        "processors used": {"web": 0.3, "database": 0.2, "all else": 0.0},
        "web threads": 8,
        "busy threads": 2.0,
        "waiting for locks": 0.0,
        **changes,
    }
    return made


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"busy": 1.95}, "the processors"),
        ({"busy threads": 7.5, "waiting for locks": 5.0}, "row locks"),
        ({"busy threads": 7.5}, "the web's threads"),
        ({}, "nothing that was watched"),
        ({"processors used": {"web": 0.3, "all else": 1.5}}, "other work on this machine"),
    ],
)
def test_what_bounds_it_is_told_with_its_evidence(changes, expected):
    told = bound(seen(**changes))
    assert told.startswith(expected)
    assert "web 0.30" in told


def test_what_an_answer_costs_leaves_out_other_work():
    made = seen(**{"processors used": {"web": 0.3, "database": 0.15, "all else": 1.5}})
    assert alone(made) == {
        "processor ms an answer": 50.0,
        "answers a second, if all processors were ours": 40.0,
    }


def test_processors_are_told_apart_by_part():
    def at(seconds: float, machine: float, web: float) -> dict[str, object]:
        names = ("commits", "rollbacks", "deadlocks", "temp files", "blocks read", "blocks hit")
        database = {**dict.fromkeys(names, 10 * seconds), "waits": {"Lock: tuple": 1}}
        more = {"sessions": 8, "active": 1, "idle in transaction": 0, "waiting for locks": 1}
        return {
            "at": seconds,
            "machine": machine,
            "stolen": 0.0,
            "parts": {"web": web},
            "database": {**database, **more},
        }

    told = meanwhile([at(0, 0, 0), at(5, 5, 3), at(10, 15, 8), at(99, 99, 99)], 0, 10)
    assert told["busy"] == 1.5
    assert told["processors used"] == {"web": 0.8, "all else": 0.7}
    assert told["what active sessions waited for"] == {"Lock: tuple": 1}
    assert told["commits a second"] == 10


# --- The right paper -----------------------------------------------------------------------------
def person() -> Person:
    plan = Plan("billing.test", 1, [], "", 1, ["P1"], 1, "", [1], 0, 0, 0, 500)
    return Person(0, plan, Record(), Work(), threading.Event())


def pdf(title: str) -> bytes:
    made, content = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.docinfo["/Title"] = title
    made.docinfo["/PressroomFingerprint"] = "ab12"
    made.save(content)
    return content.getvalue()


def test_the_right_paper_bears_its_number_and_its_mark():
    somebody = person()
    assert somebody._read(pdf("Invoice INV-2026-00007"), "INV-2026-00007") == {
        "fingerprint": "ab12"
    }
    assert somebody.record.failures == []


@pytest.mark.parametrize("content", [pdf("Invoice INV-2026-00070"), b"%PDF-1.7 cut off", b""])
def test_the_wrong_paper_or_half_of_one_is_noticed(content):
    somebody = person()
    somebody._read(content, "INV-2026-00007")
    assert len(somebody.record.failures) == 1


# --- What is flat --------------------------------------------------------------------------------
def verdict(**held: list[float]) -> SimpleNamespace:
    """A look every ten seconds; whether each rule was kept."""
    many = len(next(iter(held.values())))
    names = {name.replace("__", ": "): values for name, values in held.items()}
    looks = [(10.0 * at, {n: values[at] for n, values in names.items()}) for at in range(many)]
    rules = judged(looks, 0.25)
    return SimpleNamespace(**{it.what.replace(": ", "__"): it.is_kept for it in rules})


def test_a_climb_is_that_of_the_fitted_line():
    assert climbed([(0, 10), (10, 20), (20, 30)]) == 20
    assert climbed([(0, 30), (10, 20), (20, 10)]) == -20


def test_a_leak_of_memory_is_found_and_noise_is_not():
    leak = [100 + at for at in range(40)]
    noise = [100 + 4 * (at % 2) for at in range(40)]
    assert verdict(MB__web=leak).MB__web is False
    assert verdict(MB__web=noise).MB__web is True


def test_what_grows_only_while_it_warms_up_is_no_leak():
    assert verdict(MB__web=[20.0 * min(at, 5) for at in range(40)]).MB__web is True


@pytest.mark.parametrize("what", ["descriptors__web", "sessions__database", "files__temporary"])
def test_descriptors_sessions_and_files_that_are_never_closed_are_found(what):
    assert getattr(verdict(**{what: [20 + at / 2 for at in range(40)]}), what) is False
    assert getattr(verdict(**{what: [20 + at % 2 for at in range(40)]}), what) is True


def test_a_replaced_child_may_inherit_descriptors_once_but_not_each_time():
    processes = {"processes__worker batch": [3.0] * 40}
    once = {"descriptors__worker batch": [69.0] * 20 + [87.0] * 20}
    each = {"descriptors__worker batch": [69.0 + 2 * at for at in range(40)]}
    assert getattr(verdict(**processes, **once), "descriptors__worker batch") is True
    assert getattr(verdict(**processes, **each), "descriptors__worker batch") is False


def test_a_table_may_grow_with_its_rows_and_not_without_them():
    rows = [1000.0 + 50 * at for at in range(40)]
    busy = {"rows__billing_invoice": rows, "dead rows__billing_invoice": [0.0] * 40}
    sizes = [row / 2 for row in rows]
    assert verdict(**busy, kB__billing_invoice=sizes).kB__billing_invoice is True
    flat = {**busy, "rows__billing_invoice": [1000.0] * 40}
    assert verdict(**flat, kB__billing_invoice=sizes).kB__billing_invoice is False


def test_rows_that_nobody_entered_and_dead_rows_that_nobody_removes_are_found():
    rows = [10.0 + 10 * at for at in range(40)]
    kept = verdict(rows__worker_presence=rows, kB__worker_presence=[8.0] * 40)
    assert kept.rows__worker_presence is False
    dead = {"dead rows__worker_presence": [100.0 * at for at in range(40)]}
    flat = {"rows__worker_presence": [10.0] * 40, "kB__worker_presence": [8.0] * 40}
    kept = verdict(**flat, **dead)
    assert getattr(kept, "dead rows__worker_presence") is False
    assert kept.kB__worker_presence is True
