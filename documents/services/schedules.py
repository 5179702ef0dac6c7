"""Schedules: saved by people, started by a tick that may come late, twice or from two beats."""

import logging
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from documents.calendars import due_at, due_day, due_months, first_of
from documents.models import Schedule, ScheduledRun
from documents.papers import run_kind
from worker.clock import database_now

logger = logging.getLogger("pressroom.documents")


def save_schedule(*, schedule: Schedule, by: User) -> Schedule:
    """A new schedule, or changes of one. It never starts what was due before it was saved.

    Raises ValidationError by field.
    """
    if run_kind(schedule.kind).start_scheduled is None:
        raise ValidationError({"kind": "Runs of this kind can't be scheduled."})
    schedule.clean_fields(exclude=["starts_on", "created_by"])
    schedule.starts_on = _first_day(schedule, database_now())
    if schedule._state.adding:
        schedule.created_by = by
    schedule.save()
    return schedule


def delete_schedule(*, schedule: Schedule) -> None:
    """Its runs, and what they made, stay."""
    Schedule.objects.for_company(schedule.company_id).filter(pk=schedule.pk).delete()


def start_due_schedules() -> int:
    """Start every run that is due and was not started yet; the missed ones too, oldest first.

    What goes wrong with one schedule is logged and tried again at the next tick; the others start.
    """
    now = database_now()
    enabled = Schedule.objects.across_companies().filter(is_enabled=True)
    return sum(_start_due(schedule, now) for schedule in enabled.select_related("company"))


def _start_due(schedule: Schedule, now: datetime) -> int:
    started = 0
    try:
        for month in _not_started(schedule, now):
            started += _start(schedule, month)
    except Exception:
        logger.exception("Schedule %s could not start.", schedule.pk)
    return started


def _first_day(schedule: Schedule, now: datetime) -> date:
    """Today, or tomorrow where today's hour has passed."""
    today = now.astimezone(ZoneInfo(schedule.company.time_zone)).date()
    month = first_of(today)
    has_passed = due_day(schedule, month) == today and due_at(schedule, month) <= now
    return today + timedelta(days=1) if has_passed else today


def _not_started(schedule: Schedule, now: datetime) -> list[date]:
    due = due_months(schedule, now)
    started = set(schedule.runs.filter(month__in=due).values_list("month", flat=True))
    return [month for month in due if month not in started]


def _start(schedule: Schedule, month: date) -> bool:
    """Run and note of it are committed together: of two who try, the second finds the note."""
    start = run_kind(schedule.kind).start_scheduled
    if start is None:
        return False
    with transaction.atomic():
        run = _note_once(schedule, month)
        if run is None:
            return False
        run.batch = start(schedule, month)
        run.save(update_fields=["batch"])
    logger.info("Schedule %s started its run for %s.", schedule.pk, month)
    return True


def _note_once(schedule: Schedule, month: date) -> ScheduledRun | None:
    """The note, or None where another tick wrote it first."""
    due = due_at(schedule, month)
    try:
        with transaction.atomic():
            return ScheduledRun.objects.create(schedule=schedule, month=month, due_at=due)
    except IntegrityError:
        return None
