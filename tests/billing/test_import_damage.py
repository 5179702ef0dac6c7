"""Files whose rows are damaged: nothing is swallowed untold, no document goes in with a hole."""

import json

import pytest

from billing.imports import UnreadableFile
from billing.models import Invoice, InvoiceItem, Party
from tests.billing.books import assert_reconciled
from tests.billing.sales import HEADER, line, numbers, rows

# A quotation mark too many in line 3; the next one stands in line 5.
STRAY = f"""{HEADER}
1001,A0,GOOD LINE,1,2010-12-01 08:26:00,100.00,17850,United Kingdom
1001,A1,"VINTAGE SIGN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
1002,A2,PLATE,1,2010-12-01 08:28:00,50.00,13047,United Kingdom
1003,A3,{{closing}},7,2010-12-01 08:26:00,9.00,17850,United Kingdom
1004,A4,MUG,1,2010-12-01 08:30:00,1.00,13047,United Kingdom
"""
SHORT = "number,customer,date,quantity,price\n"


@pytest.mark.django_db
class TestAStrayQuotationMark:
    @pytest.mark.parametrize(
        ("closing", "last"),
        [
            ('"CUP BLUE"', 5),  # closed before a letter
            ('CUP 7"', 5),  # closed at the end of a field: well-formed, but for what it swallowed
            ("CUP BLUE", 6),  # never closed
            ('""', 6),  # taken for a quotation mark within the text
        ],
    )
    def test_that_swallows_lines_refuses_the_file(self, take, closing, last):
        with pytest.raises(UnreadableFile, match=rf"line 3: a quotation mark .* up to {last}"):
            take(STRAY.format(closing=closing))
        assert not Invoice.objects.exists()
        assert not Party.objects.exists()

    def test_that_ends_in_the_next_line_refuses_the_file(self, take):
        with pytest.raises(UnreadableFile, match="line 2: a quotation mark"):
            take(SHORT + '1001,"17850,2010-12-01,1,2\n1002,17850 7",2010-12-01,1,2\n')

    def test_that_swallows_a_line_of_another_length_refuses_the_file(self, take):
        with pytest.raises(UnreadableFile, match="line 2: a quotation mark"):
            take(SHORT + '1001,"17850,2010-12-01,1,2\n1002,17850 7",2010-12-01,1,2,more\n')

    def test_in_the_first_column_refuses_the_file(self, take):
        with pytest.raises(UnreadableFile, match="line 2: a quotation mark"):
            take(SHORT + '"1001,17850,2010-12-01,1,2\n1002",17850,2010-12-01,1,2\n')

    def test_within_its_line_refuses_its_document_and_no_other(self, take):
        content = rows(line(), line(number="1002"), line(number="1003"))
        taken = take(content + '1001,A1,"A 12" PLATE,1,2010-12-01,1,17850,GB\n')
        problem = "unreadable: a quotation mark is not closed, or stands within a field"
        assert taken.reasons == {2: f"document refused: line 5: {problem}", 5: problem}
        assert json.loads(taken.refused[5][2])[:3] == ["1001", "A1", 'A 12" PLATE']
        assert numbers() == ["1002", "1003"]

    @pytest.mark.parametrize("damaged", ['"1001"x', '"1001"""x', 'A1,"1001" '])
    def test_at_the_number_refuses_the_document_that_it_may_be(self, take, damaged):
        taken = take(rows(line(), line(number="1002")) + damaged + ",A1,x,1,2010-12-01,1,17850,GB")
        reason = "document refused: line 4 can't be read and may be one of its lines"
        assert taken.reasons[2] == reason
        assert numbers() == ["1002"]

    def test_at_the_end_of_the_file_refuses_its_document(self, take):
        content = rows(line(), line(number="1002"))
        assert list(take(content + '1001,A1,"MUG,1,2010-12-01,1,17850,GB\n').refused) == [2, 4]
        assert numbers() == ["1002"]

    def test_in_the_header_refuses_the_file(self, take):
        with pytest.raises(UnreadableFile, match="line 1, the header: a quotation mark"):
            take(HEADER.replace("Country", '"Country"y') + "\n")
        with pytest.raises(UnreadableFile, match="line 1: a quotation mark"):
            take('"' + STRAY.format(closing="CUP"))

    def test_that_would_fill_the_memory_refuses_the_file(self, take, monkeypatch):
        monkeypatch.setattr("billing.imports.rows._LONGEST_ROW", 1000)
        with pytest.raises(UnreadableFile, match=r"line 2: a quotation mark .* up to 12"):
            take(SHORT + '1001,"17850,2010-12-01,1,2\n' + 100 * f"{100 * 'x'}\n")
        with pytest.raises(UnreadableFile, match="line 2 is longer than 1,000 characters"):
            take(SHORT + 1001 * "x")


@pytest.mark.django_db
class TestLineEndsWithinAField:
    """They are no damage: an address or a description goes over several lines."""

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("text", ["Candle\nred", "a, b\nc, d\n\n", 'Jug "Anna"\nwhite', "\n"])
    def test_in_the_middle(self, take, text, end):
        kept = text.replace("\n", end)
        taken = take(rows(line(description=kept), line(number="1002")))
        assert (taken.summary.lines_taken, numbers()) == (2, ["1001", "1002"])
        assert InvoiceItem.objects.filter(description=kept.strip()).exists()

    def test_in_the_last_column(self, take):
        take(rows(line(country="United\nKingdom"), line(number="1002")))
        assert numbers() == ["1001", "1002"]

    def test_in_the_first_column(self, take):
        header = "description,number,customer,date,quantity,price"
        lines = [["Candle, red\nor blue", number, "17850", "2010-12-01", 1, 2] for number in (1, 2)]
        take(rows(*lines, header=header))
        assert numbers() == ["1", "2"]
        assert InvoiceItem.objects.first().description == "Candle, red\nor blue"

    def test_in_the_header(self, take):
        take(rows(line(), header=HEADER.replace("UnitPrice", '"Unit\nPrice"')))
        assert numbers() == ["1001"]


@pytest.mark.django_db
class TestALineThatCantBeRead:
    def test_and_is_huge_refuses_its_whole_document(self, company, take):
        content = rows(
            line(price="100"),
            line(price="200", description="x" * 200_000),
            line(price="50"),
            line(number="1002"),
        )
        taken = take(content)
        assert list(taken.refused) == [2, 3, 4]
        assert taken.refused[3][:2] == ("1001", "description is longer than 131,072 characters")
        assert len(taken.refused[3][2]) < 2000
        assert (numbers(), taken.summary.documents_refused) == (["1002"], 1)
        assert_reconciled(company)

    def test_a_huge_field_that_nobody_asks_for_is_no_harm(self, take):
        take(rows([*line(), "x" * 200_000], header=HEADER + ",Notes"))
        assert numbers() == ["1001"]

    @pytest.mark.parametrize(
        "damaged",
        [
            ["", *line()],  # the number is one column further
            ["A1", "1001", "17850"],
            ["x", *line()],
        ],
    )
    def test_with_its_number_elsewhere_refuses_that_document(self, take, damaged):
        taken = take(rows(line(), damaged, line(number="1002")))
        assert taken.reasons == {
            2: "document refused: line 3 can't be read and may be one of its lines",
            3: f"wrong number of fields: {len(damaged)}, and the header has 8",
        }
        assert numbers() == ["1002"]

    def test_and_without_a_number_refuses_the_document_before_it(self, take):
        """As where a system writes the number on a document's first line only."""
        taken = take(rows(line(number="1000"), line(), line(number=""), line(number="1002")))
        assert taken.reasons == {
            3: "document refused: line 4 can't be read and may be one of its lines",
            4: "no invoice_number",
        }
        assert numbers() == ["1000", "1002"]

    def test_nor_does_one_without_party_and_date(self, take):
        take(rows(line(), line(number="", party="", date="")))
        assert numbers() == []

    @pytest.mark.parametrize(
        "other",
        [
            {"party": "13047"},
            {"date": "2010-12-02 08:26:00"},
            {"party": "", "date": "", "quantity": ""},
            {"party": "", "date": "", "price": ""},
        ],
    )
    def test_and_without_a_number_it_is_nobodys_where_it_can_be_none_of_that_document(
        self, take, other
    ):
        """A sale to somebody else or on another day, or a file's last line of totals."""
        assert list(take(rows(line(), line(number="", **other))).refused) == [3]
        assert numbers() == ["1001"]

    def test_a_line_that_was_cut_off_refuses_the_document_before_it(self, take):
        taken = take(rows(line(number="1000"), line()) + "10")
        assert list(taken.refused) == [3, 4]
        assert numbers() == ["1000"]

    def test_a_line_of_nothing_is_of_no_document(self, take):
        taken = take(rows(line(), [""] * 8, ["", ""]))
        assert list(taken.refused) == [3, 4]
        assert numbers() == ["1001"]

    def test_a_nul_does_not_hide_the_number(self, take):
        assert list(take(rows(line(), line(number="10\x0001"))).refused) == [2, 3]
        assert not Invoice.objects.exists()
