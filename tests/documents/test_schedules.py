"""Runs that start by themselves: once a month each, late rather than never."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Case, When

from accounts.models import Role
from documents import calendars, papers
from documents.models import Batch, Schedule, ScheduledRun
from documents.papers import run_kind
from documents.selectors import schedules as planning
from documents.services import schedules
from documents.services.schedules import save_schedule, start_due_schedules
from tests.factories import CompanyFactory, member
from tests.worker.racing import at_once

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """`clock("2026-03-05T06:00")` sets the database's clock, as this module reads it."""

    def set_to(text: str) -> None:
        for module in (schedules, planning):
            monkeypatch.setattr(module, "database_now", lambda: at(text))

    return set_to


@pytest.fixture
def owner(db):
    return member(Role.OWNER, company=CompanyFactory.create(time_zone="UTC"))


def schedule(owner, **changes) -> Schedule:
    values = {"kind": "statement", "day": 5, "hour": 6, **changes}
    return save_schedule(schedule=Schedule(company=owner.company, **values), by=owner.user)


def periods() -> list[tuple[date | None, date | None]]:
    rows = Batch.objects.across_companies().order_by("period_start")
    return list(rows.values_list("period_start", "period_end"))


def test_nothing_starts_before_its_hour(owner, clock):
    clock("2026-03-01T12:00")
    schedule(owner)
    clock("2026-03-05T05:59")
    assert start_due_schedules() == 0


def test_it_runs_over_the_month_before(owner, clock):
    clock("2026-03-01T12:00")
    schedule(owner)
    clock("2026-03-05T06:00")
    assert start_due_schedules() == 1
    assert periods() == [(date(2026, 2, 1), date(2026, 2, 28))]


def test_it_runs_once_however_often_it_is_asked(owner, clock):
    clock("2026-03-01T12:00")
    schedule(owner)
    clock("2026-03-05T06:00")
    assert [start_due_schedules() for _ in range(3)] == [1, 0, 0]


def test_a_kind_that_can_not_be_scheduled_is_refused(owner):
    with pytest.raises(ValidationError, match="can't be scheduled"):
        schedule(owner, kind="invoice-papers")
    assert not Schedule.objects.across_companies().exists()


def test_what_can_not_be_scheduled_any_more_starts_nothing_and_stops_no_other(owner, clock):
    clock("2026-03-01T12:00")
    schedule(owner)
    former = schedule(owner)
    Schedule.objects.across_companies().filter(pk=former.pk).update(kind="invoice-papers")
    clock("2026-03-05T06:00")
    assert start_due_schedules() == 1
    assert not ScheduledRun.objects.filter(schedule=former).exists()


def test_a_clock_that_jumps_back_starts_nothing_again(owner, clock):
    clock("2026-03-01T12:00")
    schedule(owner)
    clock("2026-03-05T06:00")
    start_due_schedules()
    clock("2026-03-05T04:00")
    start_due_schedules()
    clock("2026-03-05T06:30")
    assert start_due_schedules() == 0


def test_missed_months_are_caught_up_oldest_first(owner, clock):
    clock("2026-03-01T12:00")
    schedule(owner)
    clock("2026-06-04T12:00")
    assert start_due_schedules() == 3
    assert [start for start, _ in periods()] == [
        date(2026, 2, 1),
        date(2026, 3, 1),
        date(2026, 4, 1),
    ]


def test_no_more_than_a_year_is_caught_up(owner, clock):
    clock("2020-03-01T12:00")
    schedule(owner)
    clock("2026-06-04T12:00")
    assert start_due_schedules() == 12
    assert periods()[-1] == (date(2026, 4, 1), date(2026, 4, 30))


def test_saving_starts_nothing_that_was_due_before(owner, clock):
    clock("2026-03-05T12:00")
    mine = schedule(owner)
    assert start_due_schedules() == 0
    assert calendars.next_due(mine, at("2026-03-05T12:00")) == at("2026-04-05T06:00")


def test_saving_on_its_day_before_its_hour_runs_today(owner, clock):
    clock("2026-03-05T05:00")
    schedule(owner)
    clock("2026-03-05T06:00")
    assert start_due_schedules() == 1


def test_what_was_off_is_not_caught_up(owner, clock):
    clock("2026-03-01T12:00")
    mine = schedule(owner, is_enabled=False)
    clock("2026-05-20T12:00")
    assert start_due_schedules() == 0
    mine.is_enabled = True
    save_schedule(schedule=mine, by=owner.user)
    assert start_due_schedules() == 0


def test_a_changed_day_does_not_run_a_month_twice(owner, clock):
    clock("2026-03-01T12:00")
    mine = schedule(owner)
    clock("2026-03-05T06:00")
    start_due_schedules()
    mine.day = 20
    save_schedule(schedule=mine, by=owner.user)
    [planned] = planning.planned_schedules(mine.company)
    assert planned.next_at == at("2026-04-20T06:00")
    clock("2026-03-20T06:00")
    assert start_due_schedules() == 0


def test_day_31_is_the_last_of_a_shorter_month(owner, clock):
    clock("2026-02-01T12:00")
    schedule(owner, day=31)
    clock("2026-02-28T06:00")
    assert start_due_schedules() == 1


@pytest.mark.parametrize(
    ("zone", "month", "day", "hour", "due"),
    [
        ("Europe/London", date(2026, 7, 1), 5, 6, "2026-07-05T05:00"),
        ("Asia/Kolkata", date(2026, 7, 1), 5, 6, "2026-07-05T00:30"),
        ("Europe/London", date(2026, 3, 1), 29, 1, "2026-03-29T01:00"),  # skipped by the clocks
        ("Europe/London", date(2026, 10, 1), 25, 1, "2026-10-25T00:00"),  # comes twice
        ("Pacific/Apia", date(2026, 1, 1), 1, 0, "2025-12-31T11:00"),
    ],
)
def test_the_hour_is_the_companys(zone, month, day, hour, due):
    company = CompanyFactory.build(time_zone=zone)
    mine = Schedule(company=company, kind="statement", day=day, hour=hour)
    assert calendars.due_at(mine, month) == at(due)


def test_a_month_has_one_moment_on_days_when_the_clocks_change(owner, clock):
    owner.company.time_zone = "Europe/London"
    owner.company.save()
    clock("2026-10-01T12:00")
    schedule(owner, day=25, hour=1)
    started = []
    for minute in ("00:00", "00:30", "01:00", "01:30", "02:00"):
        clock(f"2026-10-25T{minute}")
        started.append(start_due_schedules())
    assert started == [1, 0, 0, 0, 0]


def test_run_and_note_stand_and_fall_together(owner, clock, monkeypatch):
    clock("2026-03-01T12:00")
    schedule(owner)
    clock("2026-03-05T06:00")
    monkeypatch.setattr(ScheduledRun, "save", lambda *a, **k: 1 / 0)
    assert start_due_schedules() == 0
    assert (periods(), ScheduledRun.objects.count()) == ([], 0)


def bad_kind(schedule, month):
    raise ValueError("For a test.")


def breaks_the_transaction(schedule, month):
    with connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column FROM documents_batch")


@pytest.mark.parametrize("start", [None, bad_kind, breaks_the_transaction])
def test_one_that_can_not_start_is_logged_and_holds_up_no_other(
    owner, clock, monkeypatch, caplog, start
):
    """Of a kind that this installation does not have, or with an error of its own."""
    clock("2026-03-01T12:00")
    bad, _ = schedule(owner), schedule(owner)
    Schedule.objects.across_companies().filter(pk=bad.pk).update(kind="odd")
    if start:
        odd = replace(run_kind("statement"), name="odd", start_scheduled=start)
        monkeypatch.setitem(papers._registry.runs, "odd", odd)
    # The bad one comes first, and again at each tick.
    monkeypatch.setattr(Schedule._meta, "ordering", [Case(When(kind="odd", then=0), default=1)])
    clock("2026-03-05T06:00")
    assert [start_due_schedules() for _ in range(2)] == [1, 0]
    assert [run.schedule_id != bad.pk for run in ScheduledRun.objects.all()] == [True]
    logged = [record for record in caplog.records if f"{bad.pk} could not start" in record.message]
    assert len(logged) == 2
    assert all(record.exc_info for record in logged)


def test_a_month_that_started_stays_where_the_next_one_fails(owner, clock, monkeypatch):
    clock("2026-03-01T12:00")
    schedule(owner)
    starts = run_kind("statement").start_scheduled
    only_the_first = replace(
        run_kind("statement"),
        start_scheduled=lambda mine, month: 1 / 0 if month.month > 3 else starts(mine, month),
    )
    monkeypatch.setitem(papers._registry.runs, "statement", only_the_first)
    clock("2026-05-06T06:00")
    assert start_due_schedules() == 1
    assert periods() == [(date(2026, 2, 1), date(2026, 2, 28))]


def test_a_day_that_no_month_has_is_refused(owner):
    with pytest.raises(ValidationError) as refused:
        schedule(owner, day=0)
    assert "day" in refused.value.error_dict


def test_it_says_whether_to_send(owner, clock):
    clock("2026-03-01T12:00")
    schedule(owner, send=True)
    clock("2026-03-05T06:00")
    start_due_schedules()
    assert Batch.objects.across_companies().get().send


# --- Several ticks at once -----------------------------------------------------------------------


def _race(owner, monkeypatch) -> int:
    monkeypatch.setattr(schedules, "database_now", lambda: at("2026-03-01T12:00"))
    schedule(owner)
    monkeypatch.setattr(schedules, "database_now", lambda: at("2026-03-05T06:00"))
    all_have_looked = threading.Barrier(6)
    look = schedules._not_started

    def look_before_any_starts(*given):
        found = look(*given)
        all_have_looked.wait(timeout=30)
        return found

    monkeypatch.setattr(schedules, "_not_started", look_before_any_starts)
    at_once(*[start_due_schedules] * 6)
    return Batch.objects.across_companies().count()


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_two_beats_start_one_run(owner, monkeypatch):
    assert _race(owner, monkeypatch) == 1


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_without_the_note_two_beats_start_several(owner, monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE documents_scheduledrun DROP CONSTRAINT scheduled_run_once_a_month"
        )
    try:
        assert _race(owner, monkeypatch) > 1
    finally:
        ScheduledRun.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE documents_scheduledrun ADD CONSTRAINT scheduled_run_once_a_month "
                "UNIQUE (schedule_id, month)"
            )
