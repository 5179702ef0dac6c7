"""What is taken from one line of a sales file, and every reason to refuse it."""

from datetime import date
from decimal import Decimal

import pytest

from billing.imports.columns import ColumnError, match_columns
from billing.imports.countries import country_code
from billing.imports.lines import Refused, parse_line, party_code

D = Decimal
COLUMNS = {
    name: place
    for place, name in enumerate(
        ["invoice_number", "party_code", "date", "quantity", "unit_price", "tax_rate", "sku"]
    )
}
SOUND = {
    "invoice_number": "1001",
    "party_code": "17850",
    "date": "2010-12-01",
    "quantity": "6",
    "unit_price": "2.55",
    "tax_rate": "",
    "sku": "A1",
}


def parse(prefix="C", **changes):
    row = list({**SOUND, **changes}.values())
    return parse_line(row, COLUMNS, width=len(COLUMNS), returns_prefix=prefix)


def refusal(**changes):
    with pytest.raises(Refused) as refused:
        parse(**changes)
    return str(refused.value)


class TestColumns:
    REQUIRED = ["number", "customer", "date", "qty", "price"]

    @pytest.mark.parametrize(
        "header",
        [
            ["InvoiceNo", "CustomerID", "InvoiceDate", "Quantity", "UnitPrice"],
            ["Invoice", "Customer ID", "Invoice Date", "QTY", "Price"],
            ["invoice_number", "party_code", "date", "quantity", "unit_price"],
            ["Document number", "Account code", "Document-Date", "Qty.", "Rate"],
            [" InvoiceNo ", " CustomerID", "Date ", "Quantity", "Unit Price "],
        ],
    )
    def test_the_headers_of_other_systems_are_known(self, header):
        found = match_columns(header, {})
        fields = ["invoice_number", "party_code", "date", "quantity", "unit_price"]
        assert [found[field] for field in fields] == [0, 1, 2, 3, 4]

    def test_a_column_can_be_named(self):
        found = match_columns([*self.REQUIRED, "Belegnr"], {"invoice_number": "Belegnr"})
        assert found["invoice_number"] == 5

    def test_what_is_missing_is_named_with_what_there_is(self):
        with pytest.raises(ColumnError, match="unit_price: name it with --column") as error:
            match_columns(["InvoiceNo", "CustomerID", "Date", "Quantity", "Cost"], {})
        assert "Cost" in str(error.value)

    def test_a_named_column_that_is_not_there_is_said(self):
        with pytest.raises(ColumnError, match="there is no column 'Kunde'"):
            match_columns(self.REQUIRED, {"party_code": "Kunde"})

    def test_a_fields_own_name_goes_before_its_other_names(self):
        needed = ["invoice_number", "party_code", "date", "quantity", "unit_price"]
        header = ["customer", "rate", "Unit price", "qty", *needed, "Unit Price"]
        found = match_columns(header, {})
        assert {field: header[place] for field, place in found.items()} == {
            field: field for field in needed
        }

    AMBIGUOUS = ["number", "Customer", "Customer ID", "date", "qty", "price"]

    def test_two_columns_that_match_alike_are_asked_about(self):
        with pytest.raises(ColumnError) as error:
            match_columns(self.AMBIGUOUS, {})
        said = "party_code: is it 'Customer' or 'Customer ID'? Say so with --column"
        assert str(error.value).startswith(said)
        found = match_columns(self.AMBIGUOUS, {"party_code": "Customer ID"})
        assert found["party_code"] == 2

    @pytest.mark.parametrize("chosen", [{}, {"quantity": "qty"}])
    def test_a_column_that_is_there_twice_is_said(self, chosen):
        with pytest.raises(ColumnError, match="quantity: 2 columns are called 'qty'"):
            match_columns([*self.REQUIRED, "qty "], chosen)

    def test_columns_that_nobody_needs_may_share_a_name(self):
        assert len(match_columns([*self.REQUIRED, "Note", "Note", "", ""], {})) == 5


class TestCountries:
    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("United Kingdom", "GB"),
            (" united  kingdom ", "GB"),
            ("EIRE", "IE"),
            ("RSA", "ZA"),
            ("USA", "US"),
            ("fr", "FR"),
            ("Germany", "DE"),
            ("Channel Islands", ""),
            ("European Community", ""),
            ("Unspecified", ""),
            ("", ""),
        ],
    )
    def test_a_name_becomes_its_code_or_nothing(self, name, code):
        assert country_code(name) == code


class TestTaken:
    def test_a_sound_line(self):
        line = parse(tax_rate="20")
        assert (line.document, line.party_code, line.sku) == ("1001", "17850", "A1")
        assert (line.quantity, line.unit_price, line.tax_rate) == (D(6), D("2.55"), D(20))
        assert (line.day, line.is_return) == (date(2010, 12, 1), False)

    def test_edge_spaces_do_not_count(self):
        line = parse(invoice_number=" 1001\t", quantity=" 6 ", party_code="\u00a017850 ")
        assert (line.document, line.quantity, line.party_code) == ("1001", 6, "17850")

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("17850.0", "17850"),
            ("17850.00", "17850.00"),
            ("17850.5", "17850.5"),
            ("A17.0", "A17.0"),
            (".0", ".0"),
            ("0017850", "0017850"),
            ("ünï", "ünï"),
        ],
    )
    def test_a_spreadsheets_code_loses_its_point_and_nothing_else_does(self, text, code):
        assert party_code(text) == code

    def test_a_returns_quantity_is_positive_from_here_on(self):
        line = parse(invoice_number="C1001", quantity="-6")
        assert (line.is_return, line.quantity) == (True, 6)

    def test_without_a_prefix_there_are_no_returns(self):
        assert parse(prefix="", invoice_number="C1001").is_return is False

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("6", "6"),
            ("+6", "6"),
            ("6.", "6"),
            (".5", "0.5"),
            ("6.000", "6"),
            ("1e3", "1000"),
            ("1.5E-2", "0.015"),
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
        ],
    )
    def test_a_number_can_be_written_so(self, text, value):
        quantity = parse(quantity=text).quantity
        assert quantity == D(value)
        assert not quantity.is_signed()

    @pytest.mark.parametrize(
        "text",
        [
            "2010-12-01",
            "2010-12-01 08:26",
            "2010-12-01T08:26",
            "2010-12-01 08:26:00",
            "2010-12-01 08:26:00.123456",
            "2010-12-01T08:26:00Z",
        ],
    )
    def test_a_date_can_be_written_so(self, text):
        assert parse(date=text).day == date(2010, 12, 1)

    @pytest.mark.parametrize(
        ("text", "rate"), [("", "0"), ("20", "20"), ("20%", "20"), ("7.7 %", "7.7"), ("0", "0")]
    )
    def test_a_tax_rate_is_in_per_cent_and_may_say_so(self, text, rate):
        assert parse(tax_rate=text).tax_rate == D(rate)


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"invoice_number": " "}, "no invoice_number"),
            ({"invoice_number": "9" * 61}, "invoice_number is longer than 60 characters"),
            ({"party_code": ""}, "no party"),
            ({"party_code": "9" * 61}, "party_code is longer than 60 characters"),
            ({"date": ""}, "no date"),
            ({"quantity": ""}, "no quantity"),
            ({"unit_price": ""}, "no unit_price"),
            ({"sku": "A" * 61}, "sku is longer than 60 characters"),
            ({"quantity": "-1"}, "negative quantity on an invoice"),
            ({"invoice_number": "C1", "quantity": "1"}, "positive quantity on a return"),
            ({"unit_price": "-0.01"}, "negative price"),
            ({"quantity": "0.0001"}, "quantity has more than 3 decimals: '0.0001'"),
            ({"unit_price": "0.00001"}, "unit_price has more than 4 decimals: '0.00001'"),
            ({"quantity": "1e12"}, "quantity is out of range: '1e12'"),
            ({"unit_price": "1e14"}, "unit_price is out of range: '1e14'"),
            ({"unit_price": "9e99"}, "unit_price is out of range: '9e99'"),
            ({"tax_rate": "100.1"}, "tax_rate is not between 0 and 100 per cent: '100.1'"),
            ({"tax_rate": "-1"}, "tax_rate is not between 0 and 100 per cent: '-1'"),
            ({"tax_rate": "much"}, "tax_rate is not a number: 'much'"),
            ({"sku": "a\0b"}, "sku holds a NUL character"),
            ({"sku": "a\udcff"}, "sku is not UTF-8"),
        ],
    )
    def test_it_says_why(self, changes, reason):
        assert refusal(**changes) == reason

    @pytest.mark.parametrize("field", ["quantity", "unit_price"])
    @pytest.mark.parametrize(
        "text",
        [
            "NaN",
            "Infinity",
            "-inf",
            "1e308",
            "1,00",
            "1.000,00",
            "١٢",
            "１２",
            "six",
            "0x10",
            "1_000",
            "1 000",
            "--1",
            "£5",
            "1e",
            ".",
        ],
    )
    def test_what_is_no_plain_number(self, field, text):
        assert refusal(**{field: text}) == f"{field} is not a number: {text!r}"

    @pytest.mark.parametrize(
        "text",
        [
            "01/12/2010",
            "2010-13-01",
            "2010-02-30",
            "2010-12-1",
            "2010-12-01 25:00",
            "yesterday",
            "2010-12-01 08:26+01:00",
            "20101201",
            "٢٠١٠-١٢-٠١",
            "2010-12-01 08",
            "0000-12-01",
        ],
    )
    def test_what_is_no_date(self, text):
        assert refusal(date=text).startswith("date is not written as 2011-01-31")

    @pytest.mark.parametrize("text", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"])
    def test_a_day_at_the_ends_of_time(self, text):
        assert refusal(date=text) == f"date is not in the years 1900 to 2199: {text!r}"

    def test_too_few_or_too_many_fields(self):
        with pytest.raises(Refused, match="wrong number of fields: 2, and the header has 7"):
            parse_line(["1001", "17850"], COLUMNS, width=7, returns_prefix="")
