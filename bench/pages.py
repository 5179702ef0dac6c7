"""How long do pages take at many invoices? Server time and queries of list, search and detail.

Through Django's test client: every middleware, no network. The targets of the specification that
Pressroom began with are told beside the bars.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import Company, Membership, Role, User
from bench.data import books
from bench.findings import Bar, Curve, Findings, quantile, seconds, spread
from bench.servers import fresh
from bench.sizes import Size
from billing.models import Invoice, Party

_ROUNDS = 30  # at most
_EACH = 10  # invoices of a party
_LIMIT = 100  # ms
_TARGETS = {"list": 500, "detail": 800}  # ms
_QUERIES = 5
_LARGE = 10_000  # rows: a smaller table is read whole, and rightly so
_SCANS = """
SELECT relname, coalesce(seq_scan, 0), coalesce(idx_scan, 0) FROM pg_stat_user_tables
WHERE n_live_tup >= %s
"""


def measure(size: Size) -> Findings:
    found = Findings()
    company, client = _company(size.invoices)
    found.figures["invoices"] = Invoice.objects.for_company(company).count()
    found.figures["parties"] = Party.objects.for_company(company).count()
    before = _scans()
    queries = {}
    for name, url in _pages(company).items():
        times, queries[name] = _timed(client, url, size.requests)
        parts = spread(times)
        found.figures |= {f"{name}: {part}, ms": value for part, value in parts.items()}
        found.figures[f"{name}: queries"] = queries[name]
        found.bars.append(Bar(f"{name}: p95", parts["p95"], _LIMIT, "ms"))
        if name in _TARGETS:
            found.bars.append(Bar(f"target, {name}: p95", parts["p95"], _TARGETS[name], "ms"))
    for name in _TARGETS:
        found.bars.append(Bar(f"target, {name}: queries", queries[name], _QUERIES, "queries"))
    _note_index_use(found, before)
    return found


def curve(size: Size) -> Curve:
    points = []
    for share in size.steps:
        company, client = _company(size.invoices // share)
        invoices = Invoice.objects.for_company(company).count()
        worst = max(_p95(client, url, size.requests) for url in _pages(company).values())
        points.append((invoices, round(worst, 4)))
    return Curve("slowest page, p95", "invoices", "seconds", points, works=False)


def _p95(client: Client, url: str, requests: int) -> float:
    return quantile(_timed(client, url, requests)[0], 0.95)


def _pages(company: Company) -> dict[str, str]:
    """By name; the party is one of those with the most invoices."""
    invoices, parties = "/billing/invoices/", "/billing/parties/"
    latest = Invoice.objects.for_company(company).order_by("-invoice_date", "-id")[0]
    largest = _largest(company)
    return {
        "list": invoices,
        "list, by total": f"{invoices}?sort=total",
        "list, overdue": f"{invoices}?overdue=on",
        "list, one party": f"{invoices}?party={largest.pk}",
        "list, a month": f"{invoices}?since=2026-09-01&until=2026-09-30",
        "list, search by number": f"{invoices}?q={latest.invoice_number[:7]}",
        "detail": f"{invoices}{latest.pk}/",
        "parties": parties,
        "party": f"{parties}{largest.pk}/",
    }


def _largest(company: Company) -> Party:
    parties = Party.objects.for_company(company).order_by("-balance__invoiced")
    return parties[0]


def _company(invoices: int) -> tuple[Company, Client]:
    fresh()
    company = books(max(10, invoices // _EACH), each=_EACH, days=730)
    user = User.objects.create_user("pages@bench.example")
    Membership.objects.create(user=user, company=company, role=Role.OWNER)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return company, client


def _timed(client: Client, url: str, requests: int) -> tuple[list[float], int]:
    """Seconds, and how many queries one answer took."""
    with _counted() as queries:
        _get(client, url)  # not timed: templates are read, plans are made
    with _counted() as queries:
        _get(client, url)
    rounds = range(min(_ROUNDS, requests))
    return [seconds(lambda: _get(client, url)) for _ in rounds], len(queries)


def _get(client: Client, url: str) -> None:
    response = client.get(url)
    if response.status_code != 200:
        raise RuntimeError(f"{url}: {response.status_code}")


@contextmanager
def _counted() -> Iterator[list[str]]:
    queries: list[str] = []

    def count(execute: Any, sql: str, *others: Any) -> Any:
        queries.append(sql)
        return execute(sql, *others)

    with connection.execute_wrapper(count):
        yield queries


def _scans() -> dict[str, tuple[int, int]]:
    """Of each table that is not small: how often it was read whole, and by an index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(_SCANS, [_LARGE])
        return {name: (whole, by_index) for name, whole, by_index in cursor.fetchall()}


def _note_index_use(found: Findings, before: dict[str, tuple[int, int]]) -> None:
    whole = by_index = 0
    for name, (now_whole, now_by_index) in _scans().items():
        was = before.get(name, (0, 0))
        whole += now_whole - was[0]
        by_index += now_by_index - was[1]
        if now_whole > was[0]:
            found.figures[f"read whole: {name}"] = now_whole - was[0]
    share = round(100 * by_index / max(1, whole + by_index), 1)
    found.bars.append(Bar("target: reads by an index", share, 95, "%", at_least=True))
