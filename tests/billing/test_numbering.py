"""Numbers without gaps and without duplicates, however many take one at once."""

import json
import random
import time
from datetime import date

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from billing import numbering
from billing.models import Invoice, NumberSequence, Return, Series
from billing.numbering import as_printed, fiscal_year, take_number
from tests.billing.books import output_of, python, race
from tests.factories import CompanyFactory

DAY = date(2026, 3, 10)


def take(company, series=Series.INVOICE, day=DAY):
    with transaction.atomic():
        return take_number(company=company, series=series, day=day)


def take_and_roll_back(company):
    with transaction.atomic():
        assert take_number(company=company, series=Series.INVOICE, day=DAY)
        transaction.set_rollback(True)


@pytest.mark.django_db
class TestOneAtATime:
    def test_they_count_up_from_one(self, company):
        taken = [take(company) for _ in range(3)]
        assert taken == ["INV-2026-00001", "INV-2026-00002", "INV-2026-00003"]

    def test_every_company_counts_by_itself(self, company):
        take(company)
        assert take(CompanyFactory.create()) == "INV-2026-00001"

    def test_every_series_counts_by_itself(self, company):
        take(company)
        assert take(company, Series.PAYMENT) == "PAY-2026-00001"
        assert take(company, Series.RETURN) == "RET-2026-00001"
        assert take(company) == "INV-2026-00002"

    def test_every_fiscal_year_counts_by_itself(self, company):
        company.fiscal_year_start_month = 4
        assert take(company, day=date(2026, 3, 31)) == "INV-2025-00001"
        assert take(company, day=date(2026, 4, 1)) == "INV-2026-00001"
        assert take(company, day=date(2026, 1, 1)) == "INV-2025-00002"

    def test_a_typed_number_may_be_of_each_of_ten_years(self, company, monkeypatch):
        monkeypatch.setattr(numbering, "today", {company: date(2026, 3, 31)}.get)
        company.fiscal_year_start_month = 4
        company.number_patterns = {"RET": "R{number:03}/{yy}"}
        assert as_printed(company, Invoice, "042") == [
            f"INV-{year}-00042" for year in range(2026, 2016, -1)
        ]
        assert as_printed(company, Return, "7")[:2] == ["R007/26", "R007/25"]
        assert as_printed(company, Return, "9" * 12)[0] == f"R{'9' * 12}/26"  # as long as may be

    @pytest.mark.parametrize("text", ["", "R7", "-7", "7.0", "²", "٧", "9" * 13])
    def test_what_counts_nothing_is_no_number(self, company, text):
        assert as_printed(company, Return, text) == []

    @pytest.mark.parametrize(
        ("start", "day", "year"),
        [
            (1, date(2026, 1, 1), 2026),
            (1, date(2026, 12, 31), 2026),
            (4, date(2026, 3, 31), 2025),
            (4, date(2026, 4, 1), 2026),
            (12, date(2026, 11, 30), 2025),
        ],
    )
    def test_a_fiscal_year_is_named_after_the_year_it_begins_in(self, company, start, day, year):
        company.fiscal_year_start_month = start
        assert fiscal_year(company, day) == year

    def test_a_transaction_that_rolls_back_gives_its_number_back(self, company):
        take(company)
        take_and_roll_back(company)
        assert take(company) == "INV-2026-00002"

    def test_the_first_number_of_a_year_can_be_rolled_back_too(self, company):
        take_and_roll_back(company)
        assert take(company) == "INV-2026-00001"


class Takers:
    """Fifty who take four numbers each and roll one in five back."""

    def __init__(self, company, seed=7):
        self.company = company
        self.committed: list[str] = []
        self.chance = random.Random(seed)

    def go(self, how_many=50):
        chances = [[self.chance.random() for _ in range(4)] for _ in range(how_many)]
        return race(*map(self._taker, chances))

    def _taker(self, chances):
        def run():
            for chance in chances:
                with transaction.atomic():
                    number = take_number(company=self.company, series=Series.INVOICE, day=DAY)
                    transaction.set_rollback(chance < 0.2)
                if chance >= 0.2:
                    self.committed.append(number)

        return run

    def sound(self):
        """The numbers are exactly 1 to as many as were committed."""
        numbers = sorted(int(number.rpartition("-")[2]) for number in self.committed)
        return numbers == list(range(1, len(numbers) + 1))


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestFiftyAtOnce:
    def test_there_is_no_gap_and_no_duplicate(self, company):
        takers = Takers(company)
        assert takers.go() == {"done": 50}
        assert 120 < len(takers.committed) < 200
        assert takers.sound()
        assert NumberSequence.objects.get().next_number == len(takers.committed) + 1

    def test_without_the_lock_there_would_be(self, company, monkeypatch):
        """The control: the test above can fail."""

        class Unlocked:
            def __init__(self, rows):
                self.rows = rows

            def get(self):
                found = self.rows.get()
                time.sleep(0.01)
                return found

        monkeypatch.setattr(numbering, "_locked", Unlocked)
        takers = Takers(company)
        takers.go()
        assert not takers.sound()

    def test_a_number_is_only_taken_in_a_transaction(self, company):
        with pytest.raises(TransactionManagementError):
            take_number(company=company, series=Series.INVOICE, day=DAY)


ON_SQLITE = """
import json, threading
import django
django.setup()
from datetime import date
from django.core.management import call_command
from django.db import connection, transaction
from accounts.models import Company
from billing.models import Series
from billing.numbering import take_number

call_command("migrate", verbosity=0)
company = Company.objects.create(slug="one", legal_name="One")
taken, errors = [], []

def take(place):
    try:
        for turn in range(4):
            with transaction.atomic():
                number = take_number(company=company, series=Series.INVOICE, day=date(2026, 3, 1))
                back = (place + turn) % 5 == 0
                transaction.set_rollback(back)
            if not back:
                taken.append(number)
    except Exception as error:
        errors.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=take, args=[place]) for place in range(50)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps([sorted(taken), errors]))
"""


def test_on_a_sqlite_file_fifty_at_once_leave_no_gap_and_no_duplicate_either(tmp_path):
    url = f"sqlite:///{tmp_path / 'books.sqlite3'}"
    taken, errors = json.loads(output_of(python(ON_SQLITE, url=url)))
    assert errors == []
    assert taken == [f"INV-2026-{number:05}" for number in range(1, 161)]
