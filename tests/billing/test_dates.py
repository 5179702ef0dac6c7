"""Months and other periods, as they are written and read."""

from datetime import date

import pytest

from billing.dates import Period


class TestPeriods:
    def test_a_month_has_its_first_and_its_last_day(self):
        assert Period.month("2028-02") == Period(date(2028, 2, 1), date(2028, 2, 29))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "2026",
            "2026-3",
            "2026-13",
            "2026-00",
            "03-2026",
            "2026-03-01",
            "2026/03",
            "x-y",
            "0001-01",
            "2026- 3",
            "+026-03",
        ],
    )
    def test_what_is_no_month_is_refused(self, text):
        with pytest.raises(ValueError, match="is not a month"):
            Period.month(text)

    def test_a_month_is_written_as_one_and_other_days_as_two(self):
        assert str(Period.month("2026-03")) == "2026-03"
        assert str(Period(date(2026, 3, 1), date(2026, 3, 30))) == "2026-03-01 to 2026-03-30"
