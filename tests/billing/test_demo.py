"""The demo's books: made up, large enough to look at, and the same every time."""

import hashlib
import json

import pytest
from django.db import transaction

from billing import demo
from billing.demo import PERIOD, demo_company
from billing.selectors.statements import read_accounts
from tests.billing.books import assert_reconciled
from tests.billing.sales import books


def make():
    steps = []
    company = demo_company(lambda done, of: steps.append((done, of)))
    return company, steps


def digest(company):
    """Of every number, party, date and amount in the books."""
    return hashlib.sha256(json.dumps(books(company)).encode()).hexdigest()


def a_few(books, place):
    """Instead of a large customer's hundreds."""
    return books.chance.randint(1, 3)


@pytest.fixture
def _media(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "media"},
        },
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("_media")
class TestTheDemo:
    def test_the_same_seed_gives_the_same_books(self, monkeypatch):
        monkeypatch.setattr(demo, "_how_many", a_few)
        found = []
        for _ in range(2):
            with transaction.atomic():
                found.append(digest(make()[0]))
                transaction.set_rollback(True)
        assert found[0] == found[1]

    def test_its_books_are_worth_looking_at_and_reconcile(self):
        company, steps = make()
        accounts = read_accounts(company, PERIOD).values()
        printed = [account for account in accounts if not account.left_out]
        assert len(printed) >= 40
        assert {account.left_out for account in accounts} == {
            "",
            "inactive",
            "no movement and zero balance",
        }
        assert any(not account.party.email for account in printed)
        assert max(account.movements for account in printed) > 100
        assert any(account.unapplied for account in printed)
        assert any(account.ageing["over_90"] or account.ageing["days_31_60"] for account in printed)
        assert steps[-1][0] == steps[-1][1] == len(steps)
        assert_reconciled(company)
        assert make() == (company, [])  # asked for again it is found
