"""Days and months as a company sees them."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.utils.timezone import localdate

from accounts.models import Company

_MONTH = re.compile(r"((?:19|20|21)\d\d)-(0[1-9]|1[0-2])", re.ASCII)

# Other systems write "never" as a day at the end of time, to which no payment term can be added.
YEARS = range(1900, 2200)


def today(company: Company) -> date:
    return localdate(timezone=ZoneInfo(company.time_zone))


@dataclass(frozen=True)
class Period:
    """Days from `start` to `end`, both inside."""

    start: date
    end: date

    @classmethod
    def month(cls, text: str) -> "Period":
        """The month written YYYY-MM. Raises ValueError."""
        match = _MONTH.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not a month: write it as 2026-10.")
        first = date(int(match[1]), int(match[2]), 1)
        return cls(first, first.replace(day=calendar.monthrange(first.year, first.month)[1]))

    def __str__(self) -> str:
        """A whole month as YYYY-MM, any other period by its two days."""
        text = f"{self.start:%Y-%m}"
        return text if self == Period.month(text) else f"{self.start} to {self.end}"
