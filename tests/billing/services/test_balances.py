"""Moving balances, one step at a time."""

from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from billing.dates import today
from billing.models import Balance
from billing.money import LARGEST
from billing.services import set_opening
from billing.services.balances import Movement, lock_balances, move_balances, restate_balances
from tests.billing.factories import DAY, new_party
from tests.billing.services.entering import D
from tests.factories import CompanyFactory, UserFactory

pytestmark = pytest.mark.django_db
# SQLite adds floating-point numbers, good for 15 digits: docs/money.md.
exact = pytest.mark.servers
AMOUNTS = ("opening", "invoiced", "returned", "paid", "current")


def amounts(party):
    return Balance.objects.values_list(*AMOUNTS).get(party=party)


def move(party, **movement):
    with transaction.atomic():
        move_balances(company=party.company, movements={party.pk: Movement(**movement)})


def refused(action):
    with pytest.raises(ValidationError) as caught:
        action()
    return caught.value.messages


def test_movements_add_up_part_by_part():
    added = Movement(D(1), D(2), D(3)) + Movement(D(10), D(20), D(30))
    assert (added.invoiced, added.returned, added.paid) == (11, 22, 33)


def test_each_part_goes_where_it_belongs_and_current_is_their_sum(party):
    move(party, invoiced=D(100), returned=D(20), paid=D(3))
    assert amounts(party) == (0, 100, 20, 3, 77)
    move(party, invoiced=D(-40), returned=D(-5), paid=D(-1))
    assert amounts(party) == (0, 60, 15, 2, 43)


def test_what_was_moved_says_when(party):
    move(party, invoiced=D(1))
    Balance.objects.update(updated_at=timezone.now() - timedelta(days=9))
    move(party, invoiced=D(1))
    moved = Balance.objects.get(party=party).updated_at
    assert timezone.now() - moved < timedelta(minutes=1)


@exact
@pytest.mark.parametrize("part", ["invoiced", "returned", "paid"])
def test_no_part_of_a_balance_reaches_what_a_column_cannot_hold(party, part):
    most = LARGEST - D("0.01")
    move(party, **{part: most})
    assert amounts(party)[AMOUNTS.index(part)] == most
    with pytest.raises(ValidationError, match="would come to 1,000,000,000,000,000 or more"):
        move(party, **{part: D("0.01")})


@exact
def test_nor_does_what_they_come_to_on_either_side(party):
    move(party, paid=LARGEST - 1)
    with pytest.raises(ValidationError, match="or more"):
        move(party, returned=D(1))


def test_sums_are_put_in_place_of_what_a_balance_said(party):
    move(party, invoiced=D(100), returned=D(20), paid=D(3))
    with transaction.atomic():
        locked = lock_balances(company=party.company, party_ids=[party.pk])
        sums = {party.pk: Movement(D(9), D(2), D(1))}
        restate_balances(company=party.company, balances=locked, sums=sums)
    assert amounts(party) == (0, 9, 2, 1, 6)


def test_balances_are_made_once_and_locked_in_the_order_of_their_keys(company):
    parties = [new_party(company, f"P{number}") for number in range(9, 0, -1)]
    ids = [party.pk for party in parties]
    with transaction.atomic():
        first = lock_balances(company=company, party_ids=ids[:4])
        again = lock_balances(company=company, party_ids=reversed(ids))
    assert len(first) == 4
    assert {balance.party_id for balance in again} == set(ids)
    assert [balance.pk for balance in again] == sorted(balance.pk for balance in again)
    assert {balance.company_id for balance in again} == {company.pk}


def test_a_balance_that_is_there_is_looked_for_and_locked(party, django_assert_num_queries):
    move(party, invoiced=D(1))
    with transaction.atomic(), django_assert_num_queries(2):
        lock_balances(company=party.company, party_ids=[party.pk])


def test_a_party_of_another_company_is_not_locked_with_them(company, party):
    move(party, invoiced=D(1))
    with transaction.atomic():
        assert lock_balances(company=CompanyFactory.create(), party_ids=[]) == []
        [mine] = lock_balances(company=company, party_ids=[party.pk])
    assert mine.invoiced == 1


class TestOpening:
    def test_refusals_say_what_is_wrong(self, company, party):
        def enter(amount, day=DAY):
            return refused(
                lambda: set_opening(party=party, opening=D(amount), opening_date=day, by=None)
            )

        too_much = ["The amount must be less than 10,000,000,000,000."]
        assert enter("1E+13") == too_much
        assert enter("-1E+13") == too_much
        assert enter("NaN") == too_much
        assert enter("0.005") == [f"{company.currency} has no such fraction as in 0.005."]
        assert enter("5", None) == ["An opening balance needs its date."]
        tomorrow = timezone.now().date() + timedelta(days=2)
        assert enter("5", tomorrow) == ["The date is in the future."]
        assert enter("0", tomorrow) == ["The date is in the future."]

    def test_an_amount_is_of_the_companys_currency(self, company):
        company.currency = "JPY"
        company.save()
        party = new_party(company, "P2")
        messages = refused(
            lambda: set_opening(party=party, opening=D("5.5"), opening_date=DAY, by=None)
        )
        assert messages == ["JPY has no such fraction as in 5.5."]

    def test_in_closed_books_it_is_refused_beside_its_date(self, company):
        company.books_closed_until = DAY
        company.save()
        party = new_party(company, "P2")
        with pytest.raises(ValidationError) as caught:
            set_opening(party=party, opening=D(5), opening_date=DAY, by=None)
        assert list(caught.value.message_dict) == ["opening_date"]

    def test_today_is_no_future(self, company, party):
        set_opening(party=party, opening=D(5), opening_date=today(company), by=None)
        assert amounts(party)[0] == 5

    def test_the_trail_says_who_entered_it(self, party):
        by = UserFactory.create()
        balance = set_opening(party=party, opening=D(5), opening_date=DAY, by=by)
        entry = LogEntry.objects.get_for_object(balance).latest("pk")
        assert (entry.actor, entry.changes["opening"][1]) == (by, "5.000")
        set_opening(party=party, opening=D(5), opening_date=DAY - timedelta(days=1), by=by)
        entry = LogEntry.objects.get_for_object(balance).latest("pk")
        assert list(entry.changes) == ["opening_date"]

    @exact
    def test_the_largest_amounts_are_taken(self, party):
        for amount in ("9999999999999.99", "-9999999999999.99"):
            set_opening(party=party, opening=D(amount), opening_date=DAY, by=None)
            assert amounts(party)[0] == amounts(party)[-1] == D(amount)

    def test_a_change_of_its_date_alone_is_one(self, party):
        set_opening(party=party, opening=D(5), opening_date=DAY, by=None)
        earlier = DAY - timedelta(days=1)
        set_opening(party=party, opening=D(5), opening_date=earlier, by=None)
        assert Balance.objects.get(party=party).opening_date == earlier

    def test_what_is_the_same_writes_nothing(self, party, django_assert_num_queries):
        set_opening(party=party, opening=D(5), opening_date=DAY, by=None)
        before = Balance.objects.get(party=party).updated_at
        set_opening(party=party, opening=D(5), opening_date=DAY, by=None)
        assert Balance.objects.get(party=party).updated_at == before
