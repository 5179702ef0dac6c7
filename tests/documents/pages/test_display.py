from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Company
from documents.templatetags import display

BRITISH = Company(locale="en_GB", time_zone="Europe/London")
GERMAN = Company(locale="de_DE", time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (None, ""),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_250, "1.2 kB"),
        (48_300, "48 kB"),
        (1_234_567, "1.2 MB"),
        (2_000_000_000_000, "2 TB"),
    ],
)
def test_sizes(count, text):
    assert display.size(count, BRITISH) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (date(2026, 10, 1), date(2026, 10, 31), "Oct 2026"),
        (date(2024, 2, 1), date(2024, 2, 29), "Feb 2024"),
        (date(2026, 1, 1), date(2026, 12, 31), "2026"),
        (date(2026, 10, 1), date(2026, 10, 30), "1–30 Oct 2026"),
        (None, date(2026, 10, 31), "31 Oct 2026"),
        (None, None, ""),
    ],
)
def test_periods(start, end, text):
    shown = display.period(start, end, "en_GB")
    assert shown.replace("\u2009", "").replace(" – ", "–") == text


def test_amounts_show_their_currencys_decimals_and_no_more():
    assert display.money(Decimal("1234.500"), "GBP", BRITISH) == "£1,234.50"
    assert display.money(Decimal("1000.000"), "JPY", BRITISH) == "JP¥1,000"
    assert display.money(Decimal("1.234"), "KWD", BRITISH) == "KWD\u00a01.234"
    assert display.money(None, "GBP", BRITISH) == ""


def test_moments_are_local_and_exact_in_the_title():
    moment = display.moment(datetime(2025, 7, 1, 22, 30, tzinfo=UTC), GERMAN)
    assert "02.07.2025, 00:30" in moment
    assert 'title="2025-07-02 00:30:00 CEST (UTC+02:00)"' in moment


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4, "4 s"), (60, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-3, "0 s")],
)
def test_durations(seconds, text):
    assert display.duration(timedelta(seconds=seconds)) == text
