"""The first page: what is owed, how late, and what the month brought."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.dates import Period, today
from billing.selectors.dashboard import figures_of
from billing.services.balances import set_opening
from billing.services.payments import void_payment
from billing.views.dashboard import bars_of
from documents.models import BatchState
from tests.billing.factories import (
    draft_invoice,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
)
from tests.billing.pages.conftest import business_queries
from tests.factories import BatchFactory, BatchItemFactory, DocumentFactory

URL = reverse("billing:dashboard")
WORK = reverse("billing:dashboard_work")


@pytest.fixture
def now(company):
    return today(company)


def owed(party, amount, now, *, overdue):
    """An invoice that was due so many days ago."""
    due = now - timedelta(days=overdue)
    return posted_invoice(party, amount, day=due - timedelta(days=200), due_date=due)


@pytest.mark.parametrize(
    ("overdue", "bucket"),
    [
        (-1, "not_due"),
        (0, "not_due"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "over_90"),
        (400, "over_90"),
    ],
)
def test_an_invoice_is_in_the_bucket_of_its_days_past_due(company, party, now, overdue, bucket):
    owed(party, "7", now, overdue=overdue)
    filled = {it.name: it.amount for it in figures_of(company, now).buckets if it.count}
    assert filled == {bucket: Decimal("7.00")}


def test_the_buckets_and_what_is_on_account_add_up_to_the_receivable(company, party, now):
    invoice = owed(party, "100", now, overdue=10)
    posted_payment(party, "30", day=now, invoice=invoice)
    posted_return(party, "5", day=now)
    set_opening(party=party, opening=Decimal(20), opening_date=now, by=None)
    figures = figures_of(company, now)
    assert figures.receivable == Decimal("85.00")
    assert figures.overdue == Decimal("70.00")
    assert figures.on_account == Decimal("15.00")


def test_the_month_counts_from_its_first_day_what_stands(company, party, now):
    first = Period.month(f"{now:%Y-%m}").start
    posted_invoice(party, "10", day=first)
    posted_invoice(party, "99", day=first - timedelta(days=1))
    draft_invoice(party, "1000", invoice_date=first)
    posted_payment(party, "3", day=first)
    posted_payment(party, "50", day=first - timedelta(days=1))
    void_payment(payment=posted_payment(party, "4", day=first), reason="Bounced", by=None)
    figures = figures_of(company, now)
    assert (figures.invoiced, figures.received) == (Decimal("10.00"), Decimal("3.00"))


def test_an_empty_company_has_nothing(company, now, viewer):
    figures = figures_of(company, now)
    assert (figures.receivable, figures.invoiced, figures.overdue) == (0, 0, 0)
    assert [bar.height for bar in bars_of(figures.buckets)] == [0] * 5
    assert "£0.00" in viewer.get(URL).content.decode()


def test_other_companies_count_nothing(company, party, now, db):
    from tests.factories import CompanyFactory

    owed(new_party(CompanyFactory.create()), "100", now, overdue=5)
    assert figures_of(company, now).receivable == 0


def test_the_chart_has_its_table_beside_it(viewer, party, now):
    owed(party, "100", now, overdue=45)
    owed(party, "50", now, overdue=5)
    said = viewer.get(URL).content.decode()
    assert 'aria-describedby="ageing-table"' in said
    assert "<title>31–60 days: £100.00</title>" in said
    assert "style=" not in said


def test_bars_are_as_high_as_their_amounts(company, party, now):
    owed(party, "100", now, overdue=45)
    owed(party, "50", now, overdue=5)
    owed(party, "0.01", now, overdue=75)
    heights = {bar.bucket.name: bar.height for bar in bars_of(figures_of(company, now).buckets)}
    assert heights["days_31_60"] == 2 * heights["days_1_30"]
    assert heights["days_61_90"] > 0
    assert heights["over_90"] == 0


def test_it_takes_two_queries_of_its_own(viewer, party, now):
    owed(party, "100", now, overdue=45)
    assert len(business_queries(viewer, URL)) <= 2


def test_the_latest_papers_and_the_runs_under_way_follow_the_workers(viewer, company):
    document = DocumentFactory.create(company=company, title="Invoice INV-7")
    run = BatchFactory.create(company=company, title="Statements 2026-10", kind="statement")
    BatchItemFactory.create(batch=run)
    done = BatchFactory.create(company=company, title="Over", state=BatchState.DONE)
    said = viewer.get(WORK).content.decode()
    assert document.title in said
    assert run.title in said
    assert done.title not in said
    assert "hx-trigger" in said.partition('id="ticker"')[2]


def test_with_nothing_under_way_it_stops_asking(viewer, company):
    DocumentFactory.create(company=company, ready=True)
    assert "hx-get" not in viewer.get(WORK).content.decode().partition('id="ticker"')[2]


def test_a_stranger_sees_their_own(stranger, party, now, company):
    owed(party, "123.45", now, overdue=5)
    document = DocumentFactory.create(company=company)
    assert "123.45" not in stranger.get(URL).content.decode()
    assert document.title not in stranger.get(WORK).content.decode()


def test_the_start_leads_here(viewer):
    assert viewer.get("/")["Location"] == URL


def test_anonymous_signs_in(anonymous):
    assert anonymous.get(URL)["Location"].startswith(reverse("account_login"))
