"""When a monthly schedule is due: a wall-clock hour of a day in the company's time zone."""

from calendar import monthrange
from collections.abc import Container, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from documents.models import Schedule

# A schedule that was forgotten for longer is not caught up further back.
MOST_CAUGHT_UP = 12


def first_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return first_of(month + timedelta(days=31))


def due_day(schedule: Schedule, month: date) -> date:
    """Day 31 means the last one of a shorter month."""
    return month.replace(day=min(schedule.day, monthrange(month.year, month.month)[1]))


def due_at(schedule: Schedule, month: date) -> datetime:
    """The moment in UTC's terms. An hour that the clocks skip is taken as the one after it, of one
    that they repeat the first counts; either way there is one moment a month.
    """
    zone = ZoneInfo(schedule.company.time_zone)
    local = datetime.combine(due_day(schedule, month), time(schedule.hour), zone)
    return local.astimezone(ZoneInfo("UTC"))


def due_months(schedule: Schedule, now: datetime) -> list[date]:
    """Every month, oldest first, whose run is due by `now`, whether it was started or not."""
    return [month for month in _months(schedule, now) if due_at(schedule, month) <= now][
        -MOST_CAUGHT_UP:
    ]


def next_due(schedule: Schedule, now: datetime, started: Container[date] = ()) -> datetime:
    """The first moment after `now` at which it is due, in a month that was not `started`."""
    month = first_of(now.astimezone(ZoneInfo(schedule.company.time_zone)).date())
    while (
        month in started
        or due_at(schedule, month) <= now
        or due_day(schedule, month) < schedule.starts_on
    ):
        month = next_month(month)
    return due_at(schedule, month)


def _months(schedule: Schedule, now: datetime) -> Iterator[date]:
    today = now.astimezone(ZoneInfo(schedule.company.time_zone)).date()
    month = first_of(schedule.starts_on)
    while month <= today:
        if due_day(schedule, month) >= schedule.starts_on:
            yield month
        month = next_month(month)
