"""`check_balances`: reports what differs, and changes nothing."""

import io
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from billing.models import Balance
from billing.services.payments import void_payment
from tests.billing.factories import draft_invoice, posted_invoice, posted_payment, posted_return

pytestmark = pytest.mark.django_db


def check(company):
    out = io.StringIO()
    call_command("check_balances", company=company.slug, stdout=out)
    return out.getvalue()


@pytest.fixture
def books(party):
    invoice = posted_invoice(party, "100")
    posted_payment(party, "40", invoice=invoice)
    void_payment(payment=posted_payment(party, "7"), reason="Bounced", by=None)
    posted_return(party, "5")
    draft_invoice(party, "1000")


def test_books_that_reconcile_say_so(company, books):
    assert "Every balance is the sum" in check(company)


def test_a_drift_is_named_and_left_as_it_is(company, books, party):
    Balance.objects.update(paid=F("paid") + 3, current=F("current") - 3)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 amounts"):
        call_command("check_balances", company=company.slug, stdout=out)
    assert "P1: paid is 43.000, its rows come to 40.00" in out.getvalue()
    assert Balance.objects.get(party=party).paid == Decimal(43)


def test_a_missing_balance_is_a_drift(company, books):
    Balance.objects.all().delete()
    with pytest.raises(CommandError, match="3 amounts"):
        check(company)


def test_an_unknown_company_is_named(db):
    with pytest.raises(CommandError, match="'nobody'"):
        call_command("check_balances", company="nobody")
