"""Every query of the lists of payments, returns, challans and parties can use an index."""

import pytest
from django.db import connection

from accounts.models import Company
from billing.models import Party
from tests.billing.pages.plans import plans
from tests.factories import CompanyFactory

pytestmark = pytest.mark.servers

ROWS = 30_000
_OWNERS = """
FROM generate_series(1, %s) AS n
JOIN (SELECT id, company_id, row_number() OVER () - 1 AS place, count(*) OVER () AS many
      FROM billing_party) AS p ON p.place = n %% p.many
"""
_FILLS = {
    "billing_payment": """
INSERT INTO billing_payment (id, company_id, party_id, payment_number, payment_date, amount,
    currency, method, reference, notes, void_reason, created_at, is_active)
SELECT gen_random_uuid(), p.company_id, p.id, 'PAY-2026-' || lpad(n::text, 6, '0'),
    date '2020-01-01' + n %% 2400, n, 'GBP', (ARRAY['bank', 'cash'])[1 + n %% 2], 'R' || n, '', '',
    now(), true
""",
    "billing_return": """
INSERT INTO billing_return (id, company_id, party_id, return_number, return_date, reason, currency,
    prices_include_tax, net, tax, total, created_at, is_active)
SELECT gen_random_uuid(), p.company_id, p.id, 'RET-2026-' || lpad(n::text, 6, '0'),
    date '2020-01-01' + n %% 2400, 'Broken', 'GBP', false, n, 0, n, now(), true
""",
    "billing_challan": """
INSERT INTO billing_challan (id, company_id, party_id, challan_number, state, challan_date, vehicle,
    driver, place, reference, notes, cancel_reason, created_at, updated_at, is_active)
SELECT gen_random_uuid(), p.company_id, p.id, 'CH-2026-' || lpad(n::text, 6, '0'),
    (ARRAY['open', 'delivered'])[1 + n %% 2], date '2020-01-01' + n %% 2400, 'V' || n, '', '',
    'PO-' || n, '', '', now(), now(), true
""",
}
_DATES = ["", "?sort=number", "?since=2026-01-01&until=2026-01-31", "?party={party}", "?q=nothing"]
_AMOUNTS = ["?least=100&most=110"]
QUERIES = {
    "billing_payment": (
        "/billing/payments/",
        [*_DATES, *_AMOUNTS, "?q=PAY-2026-0123", "?q=R471", "?state=void", "?method=cash"],
    ),
    "billing_return": ("/billing/returns/", [*_DATES, *_AMOUNTS, "?q=RET-2026-0123"]),
    "billing_challan": ("/billing/challans/", [*_DATES, "?q=CH-2026-0123", "?state=open"]),
    "billing_party": ("/billing/parties/", ["", "?sort=name", "?q=C00012", "?q=Customer 7"]),
}


def _customers(owners: list[Company], numbers: range) -> None:
    Party.objects.bulk_create(
        Party(company=owner, code=f"C{number:05}", name=f"Customer {number}")
        for owner in owners
        for number in numbers
    )


@pytest.fixture
def books(table: str, company: Company, party: Party) -> None:
    owners = [company, *[CompanyFactory.create() for _ in range(9)]]
    _customers(owners, range(20))  # the records are theirs
    with connection.cursor() as cursor:
        if table in _FILLS:
            cursor.execute(_FILLS[table] + _OWNERS, [ROWS])
        _customers(owners, range(20, 2000))
        for name in {table, "billing_party"}:
            cursor.execute(f"ANALYZE {name}")


@pytest.mark.parametrize("table", QUERIES)
def test_every_query_of_the_list_uses_an_index(viewer, company, books, table):
    owner = Party.objects.for_company(company).get(code="C00007")
    address, queries = QUERIES[table]
    for query in queries:
        url = address + query.format(party=owner.pk)
        asked = plans(viewer, url)
        assert asked, url
        for plan in asked:
            assert f"Seq Scan on {table}" not in plan, f"{url}\n{plan}"
