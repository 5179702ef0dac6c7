"""What the books have to say about a document of the file: too large for them, or there already."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import Balance, Invoice, Party
from billing.services.parties import activate_party, deactivate_party
from tests.billing.books import assert_reconciled
from tests.billing.factories import PartyFactory
from tests.billing.sales import DIRTY, HEADER, books, line, numbers, rows

D = Decimal


@pytest.mark.django_db
class TestTooLarge:
    def test_for_the_books_is_refused_and_the_rest_goes_in(self, company, take):
        """SQLite holds fewer digits than PostgreSQL, which takes all but the one with its tax."""
        taken = take(
            rows(
                [*line(), 20],
                [*line(number="1002", party="12346", quantity="900000", price="10000000"), 20],
                [*line(number="1003", party="12347", quantity="800000", price="10000000"), 0],
                [*line(number="1004", party="12347", quantity="800000", price="10000000"), 0],
                [*line(number="1005", quantity="1", price="7"), 0],
                header=HEADER + ",VAT",
            )
        )
        assert taken.reasons[3] == "document refused: its total is 10,000,000,000,000 or more"
        assert {"1001", "1005"} <= set(numbers())
        assert taken.summary.documents_refused == len(taken.refused)
        if connection.vendor == "postgresql":
            assert list(taken.refused) == [3]
            assert_reconciled(company)

    @pytest.mark.skipif("connection.vendor != 'sqlite'")
    @pytest.mark.parametrize("party", ["17850", "12346"])
    def test_for_sqlite_is_refused_alone(self, company, take, party):
        huge = [
            line(number=f"200{n}", party=party, quantity="900000", price="10000000.01")
            for n in (1, 2)
        ]
        taken = take(rows(line(), *huge, line(number="1002")))
        said = "its amounts, or its party's balance with them, are beyond what the books hold"
        assert set(taken.reasons.values()) == {f"document refused: {said}"}
        assert {"1001", "1002"} <= set(numbers())

    def test_for_its_partys_balance_is_refused_in_those_words(self, take, monkeypatch):
        monkeypatch.setattr("billing.services.balances.LARGEST", D(10))
        content = rows(
            line(quantity="1", price="4"),
            line(number="1002", quantity="1", price="6"),
            line(number="1003", quantity="1", price="5"),
            line(number="1004", party="12346", quantity="1"),
        )
        taken = take(content)
        assert taken.reasons == {
            3: "document refused: The party's balance would come to 10 or more."
        }
        assert numbers() == ["1001", "1003", "1004"]
        assert Balance.objects.get(party__code="17850").current == 9
        assert (taken.summary.invoices_taken, taken.summary.parties_created) == (3, 2)

    def test_makes_no_party(self, company, take, monkeypatch):
        monkeypatch.setattr("billing.services.balances.LARGEST", D(100))
        assert take(rows(line(), line(number="1002", party="12346", price="500"))).refused
        assert list(Party.objects.values_list("code", flat=True)) == ["17850"]


@pytest.mark.django_db
class TestThereAlready:
    CONTENT = rows(
        [*line(sku="A1", quantity="1.5", price="4"), "20"],
        [*line(sku="A2", quantity="2", price="3.0"), "0"],
        [*line(sku="A2", quantity="2", price="3.0"), "0"],
        header=HEADER + ",VAT",
    )

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("A1", "A9"),
            ("Candle", "Lamp"),
            ("1.5,2010-12-01,4", "2,2010-12-01,3"),
            ("1.5,2010-12-01,4", "4,2010-12-01,1.5"),
        ],
    )
    def test_other_lines_of_the_same_total_are_other_content(self, company, take, old, new):
        take(self.CONTENT)
        before = books(company)
        taken = take(self.CONTENT.replace(old, new))
        reason = "number in the books with other content: 1001"
        assert taken.reasons == dict.fromkeys([2, 3, 4], reason)
        assert books(company) == before

    def test_so_they_are_of_a_return(self, take):
        take(rows(line(number="C1", quantity="-2", price="3")))
        again = take(rows(line(number="C1", quantity="-3", price="2")))
        assert again.reasons == {2: "number in the books with other content: C1"}

    def test_another_tax_rate_of_nothing_is_other_content(self, take):
        free = [*line(price="0"), "0"]
        take(rows(free, header=HEADER + ",VAT"))
        assert take(rows([*free[:-1], "20"], header=HEADER + ",VAT")).summary.documents_refused == 1

    def test_one_line_less_of_two_that_are_alike_is_other_content(self, take):
        take(rows(line(price="0"), line(price="0")))
        assert take(rows(line(price="0"))).summary.documents_refused == 1

    def test_numbers_written_otherwise_and_lines_in_another_order_are_the_same(self, take):
        take(self.CONTENT)
        first, *others = self.CONTENT.splitlines()
        again = "\n".join([first, *others[::-1]]).replace("3.0", "3.0000").replace("1.5", "1.50")
        assert take(again).summary.lines_there_already == 3

    def test_the_lines_are_asked_for_once(self, take, django_assert_max_num_queries):
        content = DIRTY + rows(*[line(number=number) for number in range(2000, 2050)], header="")
        take(content)
        with django_assert_max_num_queries(10):
            assert take(content).summary.documents_there_already == 55


@pytest.mark.django_db
class TestNewParties:
    HEADER = HEADER + ",Customer name"

    def test_have_the_companys_terms(self, company, take):
        company.payment_terms_days = 14
        company.save()
        take(rows(line()))
        assert Party.objects.get().payment_terms_days == 14
        assert Invoice.objects.get().due_date == date(2010, 12, 15)

    def test_have_what_the_first_document_that_knows_it_says(self, take):
        lines = [
            [*line(country=""), ""],
            [*line(number="1002", country="EIRE"), ""],
            [*line(number="1003"), "Harbour & Hill"],
            [*line(number="1004"), "Harbour"],
        ]
        take(rows(*lines, header=self.HEADER))
        assert Party.objects.values_list("name", "country").get() == ("Harbour & Hill", "IE")


@pytest.mark.django_db
class TestAnInactiveParty:
    def test_gets_nothing_that_no_statement_would_tell_it_of(self, company, take):
        gone = PartyFactory.create(company=company, code="17850")
        deactivate_party(party=gone, by=None)
        content = rows(line(), line(number="1002", party="13047"))
        assert take(content).reasons == {2: "the party 17850 is inactive: activate it first"}
        assert numbers() == ["1002"]
        activate_party(party=gone, by=None)
        assert take(content).summary.invoices_taken == 1
        assert_reconciled(company)
