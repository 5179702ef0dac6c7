"""The books that these tests share."""

import pytest

from accounts.models import Company
from billing.models import Party
from tests.billing.factories import new_party
from tests.factories import CompanyFactory


@pytest.fixture
def company() -> Company:
    return CompanyFactory.create(slug="northgate", legal_name="Northgate Giftware Ltd")


@pytest.fixture
def party(company: Company) -> Party:
    return new_party(company)
