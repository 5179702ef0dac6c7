"""Every query of the list of invoices can use an index, among 50,000 of ten companies."""

import pytest
from django.db import connection

from accounts.models import Company
from billing.models import Invoice, Party
from tests.billing.pages.plans import plans
from tests.factories import CompanyFactory

pytestmark = pytest.mark.servers

LIST = "/billing/invoices/"
ROWS = 50_000

_FILL = """
INSERT INTO billing_invoice (id, company_id, party_id, invoice_number, state, invoice_date,
    due_date, reference, currency, prices_include_tax, discount_percent, discount_amount, shipping,
    shipping_tax_rate, notes, terms, subtotal, discount, net, tax, rounding, total, paid, returned,
    void_reason, created_at, updated_at, is_active)
SELECT gen_random_uuid(), p.company_id, p.id, 'INV-2026-' || lpad(n::text, 6, '0'),
    (ARRAY['issued', 'part-paid', 'paid', 'paid'])[1 + n %% 4],
    date '2020-01-01' + n %% 2400, date '2020-01-31' + n %% 2400, 'PO-' || n, 'GBP', false, 0, 0, 0,
    0, '', '', n, 0, n, 0, 0, n, CASE n %% 4 WHEN 0 THEN 0 WHEN 1 THEN n / 2.0 ELSE n END, 0,
    '', now(), now(), true
FROM generate_series(1, %s) AS n
JOIN (SELECT id, company_id, row_number() OVER () - 1 AS place, count(*) OVER () AS many
      FROM billing_party) AS p ON p.place = n %% p.many
"""


@pytest.fixture
def books(company: Company, party: Party) -> None:
    companies = [company, *[CompanyFactory.create() for _ in range(9)]]
    Party.objects.bulk_create(
        Party(company=owner, code=f"C{number:03}", name=f"Customer {number}")
        for owner in companies
        for number in range(20)
    )
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [ROWS])
        cursor.execute("ANALYZE billing_invoice")
        cursor.execute("ANALYZE billing_party")


QUERIES = [
    "",
    "?sort=total",
    "?sort=-due",
    "?sort=number",
    "?q=INV-2026-0123",
    "?q=PO-4711",
    "?q=4711",
    "?q=Customer 7",
    "?q=nothing",
    "?state=issued",
    "?overdue=on",
    "?since=2026-01-01&until=2026-01-31",
    "?least=100&most=110",
    "?party={party}",
    "?party={party}&state=paid&sort=total",
    "?after={row}",
    "?sort=total&after={row}",
    "?sort=-due&before={row}",
    "?q=INV-2026&state=paid&sort=-total&after={row}",
]


def test_every_query_of_the_list_uses_an_index(viewer, company, books):
    party = Party.objects.for_company(company).get(code="C007")
    row = Invoice.objects.for_company(company).filter(party=party)[0]
    for query in QUERIES:
        for part in ("", "totals/", "export/"):
            url = LIST + part + query.format(party=party.pk, row=row.pk)
            asked = plans(viewer, url)
            assert asked, url
            for plan in asked:
                assert "Seq Scan on billing_invoice" not in plan, f"{url}\n{plan}"


def test_a_page_reads_no_more_than_it_shows(viewer, company, books):
    """In the order of an index there is nothing to sort: a later page costs what the first does."""
    row = Invoice.objects.for_company(company).order_by("invoice_date", "id")[100]
    for sort in ("date", "-date", "due", "-total", "number"):
        for query in (
            f"?sort={sort}",
            f"?sort={sort}&after={row.pk}",
            f"?sort={sort}&before={row.pk}",
        ):
            [plan] = plans(viewer, LIST + query)
            assert "Sort" not in plan, f"{query}\n{plan}"
            assert "Limit" in plan
