"""Statements of account: opening + movements = closing, always, and aged at the period's end."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from billing.dates import Period
from billing.models import Balance, Invoice, Party, Payment, Return
from billing.money import total
from billing.selectors.credits import unapplied_credit
from billing.selectors.statements import BUCKETS, read_accounts, read_movements
from billing.services.statement_runs import _accounts
from tests.billing.factories import (
    BalanceFactory,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)
from tests.factories import CompanyFactory

D = Decimal
MARCH = Period.month("2026-03")


def account_of(party, period=MARCH):
    return read_accounts(party.company, period)[party.pk]


def lines_of(party, period=MARCH):
    return dict(read_movements(party.company, period)).get(party.pk, [])


def bill(party, amount, day, due=None):
    return posted_invoice(party, amount, day=day, due_date=due or day + timedelta(days=30))


def aged(party, period=MARCH):
    """The buckets that hold something."""
    return {name: amount for name, amount in account_of(party, period).ageing.items() if amount}


@pytest.mark.django_db
class TestAPeriod:
    def test_it_begins_with_what_was_before_and_adds_what_came_in_it(self, party):
        bill(party, "100", date(2026, 2, 10))
        posted_payment(party, "30", date(2026, 2, 20))
        bill(party, "50", date(2026, 3, 5))
        posted_return(party, "5", date(2026, 3, 6))
        posted_payment(party, "20", date(2026, 3, 7))
        account = account_of(party)
        assert account.opening == 70
        assert (account.invoiced, account.returned, account.paid) == (50, 5, 20)
        assert account.closing == 95
        assert account.movements == 3
        assert [line.signed for line in lines_of(party)] == [50, -5, -20]

    def test_both_its_boundary_days_are_inside_once(self, party):
        for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)):
            bill(party, "1", day)
        assert (account_of(party).opening, account_of(party).invoiced) == (1, 2)
        assert [line.day.day for line in lines_of(party)] == [1, 31]

    def test_a_payment_after_it_does_not_reduce_it(self, party):
        invoice = bill(party, "100", date(2026, 3, 5))
        posted_payment(party, "100", date(2026, 4, 1), invoice=invoice)
        account = account_of(party)
        assert (account.closing, account.paid) == (100, 0)
        assert aged(party) == {"not_due": 100}

    def test_what_was_issued_after_it_is_not_in_it(self, party):
        bill(party, "100", date(2026, 4, 5))
        account = account_of(party)
        assert (account.closing, account.movements, account.ageing["not_due"]) == (0, 0, 0)

    def test_a_penny_stays_visible(self, party):
        invoice = bill(party, "100", date(2026, 3, 5))
        posted_payment(party, "99.99", date(2026, 3, 6), invoice=invoice)
        account = account_of(party)
        assert account.closing == D("0.01")
        assert aged(party) == {"not_due": D("0.01")}
        assert account.left_out == ""

    def test_deleted_returns_and_payments_and_drafts_and_void_invoices_are_out(self, party):
        invoice = bill(party, "100", date(2026, 3, 5))
        Return.objects.filter(pk=posted_return(party, "5", date(2026, 3, 6)).pk).update(
            is_active=False
        )
        Payment.objects.filter(pk=posted_payment(party, "7", date(2026, 3, 6)).pk).update(
            voided_at=now(), void_reason="typing error"
        )
        void = bill(party, "1000", date(2026, 3, 7))
        Invoice.objects.filter(pk=void.pk).update(state="void", void_reason="typing error")
        gone = bill(party, "1000", date(2026, 3, 7))
        Invoice.objects.filter(pk=gone.pk).update(is_active=False)
        account = account_of(party)
        assert (account.closing, account.movements) == (100, 1)
        assert [line.reference for line in lines_of(party)] == [invoice.invoice_number]
        assert aged(party) == {"not_due": 100}

    def test_another_companys_books_are_another(self, party):
        bill(new_party(CompanyFactory.create()), "100", date(2026, 3, 5))
        assert set(read_accounts(party.company, MARCH)) == {party.pk}
        assert list(read_movements(party.company, MARCH)) == []

    def test_lines_stand_by_day_then_invoices_returns_payments_then_number(self, party):
        day = date(2026, 3, 5)
        posted_payment(party, "1", day)
        posted_return(party, "1", day)
        bill(party, "1", day)
        bill(party, "1", day)
        posted_payment(party, "1", day - timedelta(days=1))
        assert [line.reference for line in lines_of(party)] == [
            "PAY-2026-00002",
            "INV-2026-00001",
            "INV-2026-00002",
            "RET-2026-00001",
            "PAY-2026-00001",
        ]


@pytest.mark.django_db
class TestWhoIsLeftOut:
    def test_nobody_who_owes_something_or_moved(self, company):
        owes, moved = new_party(company, "A"), new_party(company, "B")
        bill(owes, "1", date(2026, 1, 5))
        posted_payment(moved, "1", date(2026, 3, 5), bill(moved, "1", date(2026, 3, 5)))
        assert account_of(owes).left_out == ""
        assert (account_of(moved).closing, account_of(moved).left_out) == (0, "")

    def test_a_party_without_a_movement_and_a_balance(self, company):
        silent, settled = new_party(company, "A"), new_party(company, "B")
        posted_payment(settled, "1", date(2026, 2, 5), bill(settled, "1", date(2026, 2, 5)))
        assert account_of(silent).left_out == "no movement and zero balance"
        assert account_of(settled).left_out == "no movement and zero balance"

    def test_a_party_that_is_inactive_whatever_it_owes(self, party):
        bill(party, "100", date(2026, 3, 5))
        Party.objects.update(is_active=False)
        assert account_of(party).left_out == "inactive"
        assert account_of(party).closing == 100


@pytest.mark.django_db
class TestAgeing:
    @pytest.mark.parametrize(
        ("days_past_due", "bucket"),
        [
            (-10, "not_due"),
            (0, "not_due"),
            (1, "days_1_30"),
            (30, "days_1_30"),
            (31, "days_31_60"),
            (60, "days_31_60"),
            (61, "days_61_90"),
            (90, "days_61_90"),
            (91, "over_90"),
            (900, "over_90"),
        ],
    )
    def test_it_counts_from_the_due_date_to_the_periods_end(self, party, days_past_due, bucket):
        due = MARCH.end - timedelta(days=days_past_due)
        bill(party, "100", min(due, date(2026, 3, 1)), due)
        assert aged(party) == {bucket: 100}

    def test_it_is_as_of_each_periods_end_and_not_of_now(self, party):
        bill(party, "100", date(2026, 1, 10), date(2026, 1, 31))
        found = [list(aged(party, Period.month(f"2026-0{month}"))) for month in (1, 2, 3, 4, 5)]
        assert found == [["not_due"], ["days_1_30"], ["days_31_60"], ["days_61_90"], ["over_90"]]

    def test_what_was_applied_by_then_counts_and_what_was_applied_later_does_not(self, party):
        invoice = bill(party, "100", date(2026, 2, 1))
        posted_payment(party, "25", date(2026, 3, 31), invoice)
        posted_payment(party, "25", date(2026, 4, 1), invoice)
        returned_item(bill(party, "40", date(2026, 2, 1)), day=date(2026, 4, 2))
        assert aged(party) == {"days_1_30": D(115)}
        assert aged(party, Period.month("2026-04")) == {"days_31_60": D(50)}

    def test_credit_that_was_not_applied_stands_beside_the_buckets(self, party):
        bill(party, "100", date(2026, 3, 1))
        posted_payment(party, "30", date(2026, 3, 2))
        account = account_of(party)
        assert aged(party) == {"not_due": 100}
        assert (account.unapplied, account.closing) == (-30, 70)

    @pytest.mark.parametrize("gone", ["deleted payment", "void payment", "deleted return"])
    def test_a_credit_that_is_gone_settles_nothing_any_more(self, party, gone):
        invoice = bill(party, "100", date(2026, 3, 1))
        if gone == "deleted return":
            returned_item(invoice, day=date(2026, 3, 2))
            Return.objects.update(is_active=False)
        else:
            posted_payment(party, "100", date(2026, 3, 2), invoice)
            Payment.objects.update(
                **{"is_active": False}
                if gone == "deleted payment"
                else {"voided_at": now(), "void_reason": "bounced"}
            )
        account = account_of(party)
        assert aged(party) == {"not_due": 100}
        assert (account.closing, account.unapplied) == (100, 0)


@pytest.mark.django_db
class TestABalanceThatWasTakenOver:
    def take_over(self, party, amount, day):
        BalanceFactory.create(party=party, opening=D(amount), opening_date=day)

    @pytest.mark.parametrize("day", [None, date(2020, 1, 1), date(2026, 2, 28)])
    def test_it_is_the_opening_when_it_is_of_before(self, party, day):
        self.take_over(party, "80", day)
        account = account_of(party)
        assert (account.opening, account.taken_over, account.closing) == (80, 0, 80)
        assert account.movements == 0

    @pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 3, 15), date(2026, 3, 31)])
    def test_it_is_a_movement_when_it_is_within(self, party, day):
        self.take_over(party, "80", day)
        account = account_of(party)
        assert (account.opening, account.taken_over, account.closing) == (0, 80, 80)
        assert (account.movements, account.taken_over_on) == (1, day)

    def test_it_is_not_there_yet_when_it_is_of_after(self, party):
        self.take_over(party, "80", date(2026, 4, 1))
        account = account_of(party)
        assert (account.opening, account.closing, account.left_out) == (
            0,
            0,
            "no movement and zero balance",
        )

    @pytest.mark.parametrize(
        ("paid", "before", "unapplied"), [("30", 50, 0), ("80", 0, 0), ("95", 0, -15)]
    )
    def test_what_is_applied_to_no_invoice_pays_it(self, party, paid, before, unapplied):
        self.take_over(party, "80", date(2025, 1, 1))
        bill(party, "40", date(2026, 3, 10))
        posted_payment(party, paid, date(2026, 3, 11))
        account = account_of(party)
        assert aged(party) == {"not_due": 40} | ({"over_90": before} if before else {})
        assert (account.unapplied, account.closing) == (unapplied, 120 - D(paid))
        assert unapplied_credit(party) == -unapplied

    def test_what_is_applied_to_an_invoice_does_not_pay_it(self, party):
        self.take_over(party, "80", date(2025, 1, 1))
        invoice = bill(party, "40", date(2026, 3, 10))
        posted_payment(party, "40", date(2026, 3, 11), invoice=invoice)
        assert aged(party) == {"over_90": 80}

    @pytest.mark.parametrize(
        ("day", "bucket"),
        [
            (None, "over_90"),
            (date(2026, 3, 31), "not_due"),
            (date(2026, 3, 1), "days_1_30"),
            (date(2025, 1, 1), "over_90"),
        ],
    )
    def test_debt_is_aged_from_its_day(self, party, day, bucket):
        self.take_over(party, "80", day)
        assert aged(party) == {bucket: 80}

    def test_credit_is_unapplied(self, party):
        self.take_over(party, "-80", date(2026, 1, 1))
        account = account_of(party)
        assert (account.closing, account.unapplied, aged(party)) == (-80, -80, {})


@pytest.mark.django_db
class TestTheOrder:
    CODES = [
        "a1",
        "A1",
        "b",
        "B",
        "Ä2",
        "ä2",
        "Z",
        "z",
        "10",
        "9",
        "1-0",
        "_",
        "é",
        "ß",
        "中",
        "a b",
    ]

    def test_accounts_and_their_lines_come_in_the_same_order(self, company):
        for code in self.CODES:
            bill(new_party(company, code), "1", date(2026, 3, 5))
        accounts = [account.party.pk for account in read_accounts(company, MARCH).values()]
        assert accounts == [party for party, _ in read_movements(company, MARCH)]

    def test_each_account_gets_its_own_lines_though_some_have_none(self, company):
        for place, code in enumerate(self.CODES):
            party = new_party(company, code)
            if place % 3:
                bill(party, str(place), date(2026, 3, 5))
        with transaction.atomic():
            merged = list(_accounts(company, MARCH))
        assert len(merged) == len(self.CODES)
        for account, lines in merged:
            assert [line.amount for line in lines] == [account.invoiced] * account.movements


@pytest.mark.django_db
def test_the_number_of_queries_does_not_depend_on_the_number_of_parties(company):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            read_accounts(company, MARCH)
            list(read_movements(company, MARCH))
        return len(captured)

    def add(how_many):
        for _ in range(how_many):
            party = new_party(company, f"P{Party.objects.count()}")
            posted_payment(party, "1", date(2026, 3, 6), bill(party, "2", date(2026, 3, 5)))

    add(1)
    few = queries()
    add(12)
    assert queries() == few
    assert few <= 8


def random_books(company, seed, months=6, parties=5):
    """Books of half a year: postings of every kind, some backwards in time."""
    chance = random.Random(seed)
    first = date(2025, 11, 1)

    def day():
        return first + timedelta(days=chance.randrange(30 * months))

    def amount():
        return str(D(chance.randrange(1, 50_000)) / 100)

    for number in range(parties):
        party = new_party(company, f"R{number}")
        if chance.random() < 0.5:
            BalanceFactory.create(
                party=party, opening=D(amount()) - 200, opening_date=chance.choice([None, day()])
            )
        bills = []
        for _ in range(chance.randrange(1, 12)):
            start = day()
            bills.append(bill(party, amount(), start, start + timedelta(chance.randrange(0, 70))))
        for invoice in bills:
            invoice.refresh_from_db()
            what = chance.random()
            if what < 0.4 and invoice.due:
                part = max(D("0.01"), round(invoice.due * D(str(chance.random())), 2))
                posted_payment(party, str(min(part, invoice.due)), day(), invoice)
            elif what < 0.6:
                returned_item(invoice, day=max(day(), invoice.invoice_date))
            elif what < 0.8:
                posted_payment(party, amount(), day())
            elif what < 0.9:
                posted_return(party, amount(), day())


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_in_the_books_every_statement_holds_together(company, seed):
    random_books(company, seed)
    before = None
    for month in ("2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05"):
        period = Period.month(month)
        accounts = read_accounts(company, period)
        lines = dict(read_movements(company, period))
        for party_id, account in accounts.items():
            moved = total(line.signed for line in lines.get(party_id, []))
            assert account.opening + account.taken_over + moved == account.closing
            assert total(account.ageing.values()) + account.unapplied == account.closing
            assert account.unapplied <= 0
            assert all(account.ageing[name] >= 0 for name in BUCKETS)
            if before:
                assert account.opening == before[party_id].closing
        before = accounts
    current = dict(Balance.objects.values_list("party_id", "current"))
    assert {party_id: account.closing for party_id, account in before.items()} == current
