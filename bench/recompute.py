"""How does recomputing all balances compare with the one bare query that adds up the same rows?

100,000 parties with 1,000,000 documents (BENCH_PARTIES sets how many; ten documents each), every
chunk in this process, in report mode: cut, claimed, compared with the balances, recorded, closed.
The bare query is run as the database chooses, and its rows are thrown away on the server.

Needs PostgreSQL (DATABASE_URL).
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from accounts.models import Company
from billing.models import BalanceDrift, RecomputationChunk, RecomputationMode
from billing.services.recomputing import recompute_chunk, start_recomputation
from worker.running import work_on

_ROUNDS = 7
_PARTIES = """
INSERT INTO billing_party (id, company_id, code, name, email, phone, address, country, tax_id,
    locale, payment_terms_days, created_at, is_active)
SELECT gen_random_uuid(), %(company)s, 'P' || lpad(n::text, 7, '0'), 'Party ' || n, '', '', '',
    'GB', '', '', 30, now(), true
FROM generate_series(0, %(parties)s - 1) AS n
"""
# Document n is of party n modulo their number, so that a party's lie far from each other, as when
# years of them were posted.
_PARTY_OF = """
JOIN (SELECT id AS party_id, row_number() OVER (ORDER BY code) - 1 AS place
      FROM billing_party WHERE company_id = %(company)s) AS party
    ON place = n %% %(parties)s
ORDER BY n
"""
_INVOICES = f"""
INSERT INTO billing_invoice (id, company_id, party_id, invoice_number, state, invoice_date,
    due_date, reference, currency, prices_include_tax, discount_percent, discount_amount, shipping,
    shipping_tax_rate, notes, terms, subtotal, discount, net, tax, rounding, total, paid, returned,
    void_reason, created_at, updated_at, is_active)
SELECT gen_random_uuid(), %(company)s, party_id, 'INV-' || lpad(n::text, 8, '0'),
    (ARRAY['issued', 'part-paid', 'paid', 'paid'])[1 + n %% 4],
    date '2020-01-01' + n %% 2400, date '2020-01-31' + n %% 2400, 'PO-' || n, 'GBP', false, 0, 0, 0,
    0, '', '', n / 100.0, 0, n / 100.0, 0, 0, n / 100.0, 0, 0, '', now(), now(), true
FROM generate_series(1, 6 * %(parties)s) AS n {_PARTY_OF}
"""
_PAYMENTS = f"""
INSERT INTO billing_payment (id, company_id, party_id, payment_number, payment_date, amount,
    currency, method, reference, notes, void_reason, created_at, is_active)
SELECT gen_random_uuid(), %(company)s, party_id, 'PAY-' || lpad(n::text, 8, '0'),
    date '2020-01-01' + n %% 2400, n / 100.0, 'GBP', 'bank', '', '', '', now(), true
FROM generate_series(1, 3 * %(parties)s) AS n {_PARTY_OF}
"""
_RETURNS = f"""
INSERT INTO billing_return (id, company_id, party_id, return_number, return_date, reason, currency,
    prices_include_tax, net, tax, total, created_at, is_active)
SELECT gen_random_uuid(), %(company)s, party_id, 'RET-' || lpad(n::text, 8, '0'),
    date '2020-01-01' + n %% 2400, '', 'GBP', false, n / 100.0, 0, n / 100.0, now(), true
FROM generate_series(1, %(parties)s) AS n {_PARTY_OF}
"""
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
# The same sums without putting them side by side: less than what has to be known of a party.
_LEAST = """
SELECT COUNT(*), SUM(amount) FROM (
    SELECT party_id, SUM(total) AS amount FROM billing_invoice
    WHERE company_id = %(company)s AND is_active AND state IN ('issued', 'part-paid', 'paid')
    GROUP BY party_id
    UNION ALL
    SELECT party_id, SUM(total) FROM billing_return
    WHERE company_id = %(company)s AND is_active GROUP BY party_id
    UNION ALL
    SELECT party_id, SUM(amount) FROM billing_payment
    WHERE company_id = %(company)s AND is_active AND voided_at IS NULL GROUP BY party_id
) AS sums
"""
_BALANCES = f"""
INSERT INTO billing_balance (id, company_id, party_id, opening, invoiced, returned, paid, current,
    updated_at)
SELECT gen_random_uuid(), %(company)s, party_id, 0, invoiced, returned, paid,
    invoiced - returned - paid, now()
FROM ({_SUMS}) AS sums
"""
_TABLES = ("party", "invoice", "payment", "return", "balance")


def measure() -> dict[str, Any]:
    if connection.vendor != "postgresql":
        return {"left out": "needs PostgreSQL: set DATABASE_URL"}
    parties = int(os.environ.get("BENCH_PARTIES", "100000"))
    company = _books(parties)
    # In turn, so that what else the machine does meanwhile weighs on all of them.
    rounds = [_round(company) for _ in range(_ROUNDS)]
    if BalanceDrift.objects.filter(recomputation__company=company).exists():
        raise RuntimeError("The books that were made do not reconcile.")
    bare, least, whole = (statistics.median(times) for times in zip(*rounds, strict=True))
    return {
        "parties": parties,
        "documents": 10 * parties,
        "bare query, a row a party, s": round(bare, 3),
        "bare sums, not side by side, s": round(least, 3),
        "whole recomputation, s": round(whole, 3),
        "ratio to the bare query (at most 2)": round(whole / bare, 2),
        "worst ratio of a round": round(max(each[2] / each[0] for each in rounds), 2),
        "ratio to the bare sums": round(whole / least, 2),
    }


def _round(company: Company) -> tuple[float, float, float]:
    return (
        _timed(lambda: _query(_BARE, company)),
        _timed(lambda: _query(_LEAST, company)),
        _timed(lambda: _recompute(company)),
    )


def _books(parties: int) -> Company:
    company = Company.objects.create(
        slug=f"recompute-{time.time_ns()}", legal_name="Recompute Ltd", country="GB"
    )
    values = {"company": company.pk, "parties": parties}
    with connection.cursor() as cursor:
        for statement in (_PARTIES, _INVOICES, _PAYMENTS, _RETURNS, _BALANCES):
            cursor.execute(statement, values)
        for table in _TABLES:
            cursor.execute(f"VACUUM ANALYZE billing_{table}")
    return company


def _timed(what: Callable[[], None]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def _query(statement: str, company: Company) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"company": company.pk})
        cursor.fetchall()


def _recompute(company: Company) -> None:
    """All of it: cutting the chunks, claiming, comparing and recording each, closing the run."""
    run = start_recomputation(company=company, mode=RecomputationMode.REPORT, by=None).run
    for chunk_id in run.chunks.order_by("position").values_list("pk", flat=True):
        work_on(RecomputationChunk, chunk_id, recompute_chunk)
    run.refresh_from_db()
    if not run.is_final:
        raise RuntimeError(f"{run} did not end.")
