"""Amounts in words: right, or not at all."""

import pytest

from documents.rendering.words import amount_in_words


@pytest.mark.parametrize(
    ("value", "currency", "locale", "words"),
    [
        ("156.18", "GBP", "en_GB", "One hundred and fifty-six British pounds and eighteen pence"),
        ("1.01", "GBP", "en_GB", "One British pound and one penny"),
        ("0.00", "EUR", "en_IE", "Zero euros"),
        ("12000", "JPY", "en", "Twelve thousand Japanese yen"),
        ("1.005", "BHD", "en", "One Bahraini dinar and 005/1000"),
        ("2.50", "SEK", "en", "Two Swedish kronor and 50/100"),
        (
            "1234567.50",
            "INR",
            "en_IN",
            "Twelve lakh thirty-four thousand five hundred and sixty-seven Indian rupees"
            " and fifty paise",
        ),
        ("30000000.00", "INR", "en_IN", "Three crore Indian rupees"),
        (
            "1234567.00",
            "INR",
            "en_GB",
            "One million two hundred and thirty-four thousand five"
            " hundred and sixty-seven Indian rupees",
        ),
        ("156.18", "EUR", "de_DE", "Einhundertsechsundfünfzig Euro und achtzehn Cent"),
        ("1.01", "EUR", "de", "Ein Euro und ein Cent"),
        ("1001.00", "EUR", "de_AT", "Eintausendein Euro"),
        ("12.50", "CHF", "de_CH", "Zwölf Schweizer Franken und fünfzig Rappen"),
        ("102.00", "INR", "de", "Einhundertzwei Indische Rupien"),
    ],
)
def test_an_amount_is_said_as_its_locale_says_it(value, currency, locale, words):
    assert amount_in_words(value, currency, locale) == words


@pytest.mark.parametrize(
    ("value", "currency", "locale"),
    [
        ("5.50", "BDT", "bn_BD"),
        ("5.50", "INR", "hi_IN"),
        ("5.50", "SAR", "ar"),
        ("101.00", "INR", "de"),  # eine Rupie: of this gender we know too little
        ("-5.00", "GBP", "en"),
        ("1.001", "EUR", "de"),
        ("1000000000000.00", "EUR", "en"),
        ("99999999999.00", "INR", "en_IN"),
        ("5.00", "XQZ", "en"),
    ],
)
def test_what_can_not_be_said_rightly_is_not_said(value, currency, locale):
    assert amount_in_words(value, currency, locale) == ""
