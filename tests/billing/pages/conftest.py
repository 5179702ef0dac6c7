"""A company with people in every role, a party, and a stranger from elsewhere.

`as_role(Role.CLERK)` is a signed-in client; `clerk`, `viewer`, `accountant`, `stranger` and
`anonymous` are ready. `business_queries(client, url)` lists the queries of a page but for the
session's and the user's.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Company, Role
from billing.models import Party
from tests.billing.factories import new_party
from tests.factories import CompanyFactory, member


@pytest.fixture(autouse=True)
def archive_of_this_test(settings, tmp_path: Path) -> None:
    settings.ARCHIVE_DIR = tmp_path / "archive"


@pytest.fixture
def company(db: None) -> Company:
    return CompanyFactory.create(legal_name="Northgate Giftware Ltd", tax_rates=["20", "5", "0"])


@pytest.fixture
def party(company: Company) -> Party:
    return new_party(company, code="P1", name="Quayside Provisions", payment_terms_days=14)


@pytest.fixture
def as_role(company: Company) -> Callable[[Role], Client]:
    def sign_in(role: Role) -> Client:
        client = Client()
        client.force_login(member(role, company=company).user)
        return client

    return sign_in


@pytest.fixture
def viewer(as_role) -> Client:
    return as_role(Role.VIEWER)


@pytest.fixture
def clerk(as_role) -> Client:
    return as_role(Role.CLERK)


@pytest.fixture
def accountant(as_role) -> Client:
    return as_role(Role.ACCOUNTANT)


@pytest.fixture
def stranger(db: None) -> Client:
    """An owner, of another company."""
    client = Client()
    client.force_login(member(Role.OWNER).user)
    return client


@pytest.fixture
def anonymous(db: None) -> Client:
    return Client()


def business_queries(client: Client, url: str) -> list[str]:
    """The page's queries without the session's and the user's; all of them must be below 5."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url)
    assert response.status_code == 200, response.status_code
    if response.streaming:
        b"".join(response)
    queries = [query["sql"] for query in captured.captured_queries]
    assert len(queries) < 5, "\n".join(sql[:200] + " ... " + sql[-160:] for sql in queries)
    return [
        sql for sql in queries if "django_session" not in sql and "accounts_membership" not in sql
    ]
