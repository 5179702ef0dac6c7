"""How does recomputing all balances compare with the one bare query that adds up the same rows?

Every chunk in this process, in report mode: cut, claimed, compared with the balances, recorded,
closed. The bare query is run as the database chooses, and its rows are thrown away on the server.
"""

import statistics

from django.db import connection

from accounts.models import Company
from bench.data import books
from bench.findings import Bar, Curve, Findings, seconds
from bench.servers import fresh
from bench.sizes import Size
from billing.models import BalanceDrift, Invoice, RecomputationChunk, RecomputationMode
from billing.services.recomputing import recompute_chunk, start_recomputation
from worker.running import work_on

_LIMIT = 2
_EACH = 10  # invoices of a party
_ENOUGH = 10_000  # parties
_SUMS = """
SELECT party_id, SUM(invoiced) AS invoiced, SUM(returned) AS returned, SUM(paid) AS paid FROM (
    SELECT party_id, total AS invoiced, 0 AS returned, 0 AS paid FROM billing_invoice
    WHERE company_id = %(company)s AND is_active AND state IN ('issued', 'part-paid', 'paid')
    UNION ALL
    SELECT party_id, 0, total, 0 FROM billing_return WHERE company_id = %(company)s AND is_active
    UNION ALL
    SELECT party_id, 0, 0, amount FROM billing_payment
    WHERE company_id = %(company)s AND is_active AND voided_at IS NULL
) AS documents GROUP BY party_id
"""
_BARE = f"SELECT COUNT(*), SUM(invoiced), SUM(returned), SUM(paid) FROM ({_SUMS}) AS sums"


def measure(size: Size) -> Findings:
    found = Findings()
    bare, whole, invoices = _times(size.recomputed, max(3, size.rounds))
    ratio = statistics.median(one / other for one, other in zip(whole, bare, strict=True))
    found.figures |= {
        "parties": size.recomputed,
        "invoices": invoices,
        "bare query, a row a party, s": round(statistics.median(bare), 3),
        "whole recomputation, s": round(statistics.median(whole), 3),
        "worst ratio of a round": round(max(a / b for a, b in zip(whole, bare, strict=True)), 2),
    }
    many = size.recomputed >= _ENOUGH
    why = "" if many else f"what each run costs once weighs most below {_ENOUGH:,} parties"
    name = "recomputation over the bare query"
    found.figures[name] = round(ratio, 2)
    found.bars.append(Bar(name, round(ratio, 2) if many else None, _LIMIT, why=why))
    return found


def curve(size: Size) -> Curve:
    points = []
    for share in size.steps:
        _, whole, invoices = _times(size.recomputed // share, 3)
        points.append((invoices, round(min(whole), 4)))
    return Curve("recomputing balances", "invoices", "seconds", points, works=True)


def _times(parties: int, rounds: int) -> tuple[list[float], list[float], int]:
    """Of the bare query and of the whole, in turn: what else the machine does weighs on both."""
    fresh()
    company = books(parties, each=_EACH)
    bare, whole = [], []
    for _ in range(rounds):
        bare.append(seconds(lambda: _query(company)))
        whole.append(seconds(lambda: _recompute(company)))
    if BalanceDrift.objects.filter(recomputation__company=company).exists():
        raise RuntimeError("The books that were made do not reconcile.")
    return bare, whole, Invoice.objects.for_company(company).count()


def _query(company: Company) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BARE, {"company": company.pk})
        cursor.fetchall()


def _recompute(company: Company) -> None:
    """All of it: cutting the chunks, claiming, comparing and recording each, closing the run."""
    run = start_recomputation(company=company, mode=RecomputationMode.REPORT, by=None).run
    for chunk_id in run.chunks.order_by("position").values_list("pk", flat=True):
        work_on(RecomputationChunk, chunk_id, recompute_chunk)
    run.refresh_from_db()
    if not run.is_final:
        raise RuntimeError(f"{run} did not end.")
