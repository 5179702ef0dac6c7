"""Does anything grow faster than the work? Each question's time at 1x, 10x and 100x the data.

`quick` stops at 10x.
"""

from bench import pages, recompute
from bench.data import books
from bench.findings import Curve, Findings, quantile, seconds
from bench.interactive import latencies
from bench.papers import printed, statement
from bench.pipeline import planned, rate_of, run_of
from bench.servers import as_a_worker, at_work, fresh
from bench.sizes import Size

_REQUESTS = 15


def measure(size: Size) -> Findings:
    curves = [
        _rendering(size),
        _planning(size),
        _making(size),
        _waiting(size),
        recompute.curve(size),
        pages.curve(size),
    ]
    return Findings(curves=curves)


def _rendering(size: Size) -> Curve:
    fresh()
    as_a_worker()
    points = []
    for lines in size.lines:
        facts = statement(lines)
        points.append((lines, round(_best(lambda facts=facts: printed(facts), size.rounds), 4)))
    return Curve("printing a statement", "lines", "seconds", points, works=True)


def _planning(size: Size) -> Curve:
    points = []
    for share in size.steps:
        fresh()
        company = books(max(1, size.planned // share), days=31)
        points.append((size.planned // share, round(seconds(lambda c=company: planned(c)), 4)))
    return Curve("planning a run", "statements", "seconds", points, works=True)


def _making(size: Size) -> Curve:
    points = []
    for share in size.steps:
        statements = max(2, size.grown // share)
        fresh()
        # The same few lines each: it is the number of papers that grows.
        company = books(statements, each=3)
        with at_work(batch=1):
            points.append((statements, round(statements / rate_of(run_of(company)), 3)))
    return Curve("making a run, one worker", "statements", "seconds", points, works=True)


def _waiting(size: Size) -> Curve:
    points = []
    for share in size.steps:
        _, beside = latencies(max(1, size.planned // share), min(_REQUESTS, size.requests)).values()
        points.append((size.planned // share, round(quantile(beside, 0.95), 4)))
    return Curve(
        "waiting for one paper beside a run, p95", "statements", "seconds", points, works=False
    )


def _best(do: object, rounds: int) -> float:
    return min(seconds(do) for _ in range(max(2, rounds)))  # type: ignore[arg-type]
