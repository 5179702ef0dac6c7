"""Amounts and dates read as the locale reads them, and digits are never lost or made up."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import formatting


@pytest.mark.parametrize(
    ("value", "currency", "locale", "text"),
    [
        ("1234567.5", "GBP", "en_GB", "1,234,567.50"),
        ("1234567.50", "INR", "en_IN", "12,34,567.50"),
        ("123456789.00", "BDT", "bn", "12,34,56,789.00"),
        ("1234567.50", "EUR", "de", "1.234.567,50"),
        ("1234567", "JPY", "ja", "1,234,567"),
        ("1234.567", "BHD", "ar_BH", "1,234.567"),
        ("1.5", "BHD", "en", "1.500"),
        ("-40.00", "GBP", "en_GB", "-40.00"),
        ("-0.00", "GBP", "en_GB", "0.00"),
        ("-0", "JPY", "ja", "0"),
        ("0.01", "GBP", "en_GB", "0.01"),
        ("999", "JPY", "en", "999"),
        ("1000", "JPY", "en", "1,000"),
        ("0012.30", "GBP", "en", "12.30"),
    ],
)
def test_amounts(value, currency, locale, text):
    assert formatting.amount(value, currency, locale) == text


def test_an_amount_is_not_rounded():
    assert formatting.amount("1.005", "GBP", "en_GB") == "1.005"
    assert formatting.amount("1.5", "JPY", "en") == "1.5"


@pytest.mark.parametrize("value", ["", "abc", "1e5", "NaN", "1,000", "--1", "٣", "1.2.3", "."])
def test_what_is_no_plain_number_is_an_error(value):
    with pytest.raises(ValueError, match="plain decimal"):
        formatting.amount(value, "GBP", "en_GB")


@given(
    st.decimals(min_value=-(10**12), max_value=10**12, places=2),
    st.sampled_from(["en_GB", "en_IN", "de", "fr", "ar", "he", "fa", "bn", "hi", "es", "de_CH"]),
)
def test_no_digit_is_lost_in_any_locale(value, locale):
    digits = [c for c in formatting.amount(value, "GBP", locale) if c.isdigit()]
    assert "".join(digits) == f"{abs(value):f}".replace(".", "")


@pytest.mark.parametrize(
    ("value", "currency", "locale", "text"),
    [
        ("1234.5", "GBP", "en_GB", "£1,234.50"),
        ("-1234.5", "GBP", "en_GB", "-£1,234.50"),
        ("-0.00", "GBP", "en_GB", "£0.00"),
        ("1234.5", "EUR", "de", "1.234,50\u00a0€"),
        ("-1234.5", "EUR", "de", "-1.234,50\u00a0€"),
        ("-1234.5", "EUR", "nl", "€\u00a0-1.234,50"),
        ("5", "XYZ", "en", "XYZ\u00a05.00"),
        (Decimal("1E+3"), "JPY", "en", "¥1,000"),
    ],
)
def test_money(value, currency, locale, text):
    assert formatting.money(value, currency, locale) == text


@pytest.mark.parametrize(
    ("value", "locale", "text"),
    [
        ("2011-01-04", "en_GB", "4 Jan 2011"),
        (date(2011, 1, 4), "en_US", "Jan 4, 2011"),
        ("2011-01-04", "de", "04.01.2011"),
        ("2011-01-04", "ja", "2011/01/04"),
        ("2011-01-04", "xx_YY", "Jan 4, 2011"),
    ],
)
def test_dates(value, locale, text):
    assert formatting.date(value, locale) == text


def test_countries():
    assert formatting.country_name("DE", "en") == "Germany"
    assert formatting.country_name("de", "fr") == "Allemagne"
    assert formatting.country_name("", "en") == ""
    assert formatting.country_name("??", "en") == "??"


def test_language_and_direction():
    assert formatting.language_tag("en_GB") == "en-GB"
    assert formatting.language_tag("zh-hant-tw") == "zh-Hant-TW"
    assert formatting.direction("ar") == formatting.direction("he_IL") == "rtl"
    assert formatting.direction("en") == "ltr"
