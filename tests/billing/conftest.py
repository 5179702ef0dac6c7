"""The books that these tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Company
from billing.models import Party
from tests.billing.factories import new_party
from tests.billing.sales import run_import, write
from tests.factories import CompanyFactory


@pytest.fixture
def company() -> Company:
    return CompanyFactory.create(slug="northgate", legal_name="Northgate Giftware Ltd")


@pytest.fixture
def party(company: Company) -> Party:
    return new_party(company)


@pytest.fixture
def take(company: Company, tmp_path: Path) -> Callable[..., Any]:
    """`take(content)`: import a file with this content."""

    def taken(content: str | bytes, name: str = "sales.csv", **options: Any) -> Any:
        return run_import(company, write(tmp_path / name, content), **options)

    return taken
