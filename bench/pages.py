"""How long do pages take at many invoices? Server time of list, filters, search and detail.

Tests assert how many queries each takes.

Needs PostgreSQL (DATABASE_URL); BENCH_INVOICES sets how many, 1,000,000 by default.
"""

import os
import statistics
import time
from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import Company, Membership, Role, User
from billing.models import Invoice, Party

_ROUNDS = 30
_FILL = """
INSERT INTO billing_invoice (id, company_id, party_id, invoice_number, state, invoice_date,
    due_date, reference, currency, prices_include_tax, discount_percent, discount_amount, shipping,
    shipping_tax_rate, notes, terms, subtotal, discount, net, tax, rounding, total, paid, returned,
    void_reason, created_at, updated_at, is_active)
SELECT gen_random_uuid(), %(company)s, (%(parties)s::uuid[])[1 + n %% %(many)s],
    'INV-2026-' || lpad(n::text, 8, '0'),
    (ARRAY['issued', 'part-paid', 'paid', 'paid'])[1 + n %% 4],
    date '2020-01-01' + n %% 2400, date '2020-01-31' + n %% 2400, 'PO-' || n, 'GBP', false, 0, 0, 0,
    0, '', '', n, 0, n, 0, 0, n, CASE n %% 4 WHEN 0 THEN 0 WHEN 1 THEN n / 2.0 ELSE n END, 0,
    '', now(), now(), true
FROM generate_series(1, %(rows)s) AS n
"""
_ITEMS = """
INSERT INTO billing_invoiceitem (invoice_id, position, sku, description, quantity, unit, unit_price,
    discount_percent, discount_amount, tax_rate, net)
SELECT id, n, 'S' || n, 'Article ' || n, 1, '', 10, 0, 0, 0, 10
FROM (SELECT id FROM billing_invoice WHERE company_id = %s ORDER BY invoice_date DESC, id DESC
      LIMIT 100) AS latest, generate_series(1, 10) AS n
"""


def measure() -> dict[str, Any]:
    if connection.vendor != "postgresql":
        return {"left out": "needs PostgreSQL: set DATABASE_URL"}
    rows = int(os.environ.get("BENCH_INVOICES", "1000000"))
    company, client = _company(rows)
    latest = Invoice.objects.for_company(company).order_by("-invoice_date", "-id")[0]
    listing = "/billing/invoices/"
    pages = {
        "list": listing,
        "list, by total": f"{listing}?sort=total",
        "list, overdue": f"{listing}?overdue=on",
        "list, one party": f"{listing}?party={latest.party_id}",
        "list, a month": f"{listing}?since=2026-01-01&until=2026-01-31",
        "search by number": f"{listing}?q=INV-2026-00123",
        "detail": f"{listing}{latest.pk}/",
    }
    figures: dict[str, Any] = {"invoices": rows}
    for name, url in pages.items():
        figures[f"{name}: p50 ms, p95 ms"] = _timed(client, url)
    return figures


def _company(rows: int) -> tuple[Company, Client]:
    company = Company.objects.create(
        slug=f"pages-{time.time_ns()}", legal_name="Pages Ltd", country="GB"
    )
    user = User.objects.create_user(f"{company.slug}@bench.example")
    Membership.objects.create(user=user, company=company, role=Role.OWNER)
    parties = Party.objects.bulk_create(
        Party(company=company, code=f"P{place:06}", name=f"Party {place}")
        for place in range(max(100, rows // 10))
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _FILL,
            {
                "company": company.pk,
                "parties": [str(party.pk) for party in parties],
                "many": len(parties),
                "rows": rows,
            },
        )
        cursor.execute(_ITEMS, [company.pk])
        cursor.execute("ANALYZE billing_invoice")
        cursor.execute("ANALYZE billing_party")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return company, client


def _timed(client: Client, url: str) -> str:
    response = client.get(url)
    if response.status_code != 200:
        raise RuntimeError(f"{url}: {response.status_code}")
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        client.get(url)
        times.append(1000 * (time.perf_counter() - started))
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"{statistics.median(times):.1f}, {p95:.1f}"
