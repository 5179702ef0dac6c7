"""What the page of schedules reads."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models

from accounts.models import Company
from documents.calendars import next_due
from documents.models import Schedule, ScheduledRun
from documents.papers import run_kinds
from worker.clock import database_now


@dataclass(frozen=True)
class Planned:
    """A schedule with its run of the latest month, and the moment of its next one if it is on."""

    schedule: Schedule
    label: str
    # Whether this installation has such runs; where it has not, the label is the bare name.
    is_known: bool
    last: ScheduledRun | None
    next_at: datetime | None


def all_schedules(company: Company) -> "models.QuerySet[Schedule]":
    return Schedule.objects.for_company(company).select_related("company")


def planned_schedules(company: Company) -> list[Planned]:
    now = database_now()
    last = ScheduledRun.objects.select_related("batch").order_by("-month")
    rows = all_schedules(company).order_by("kind", "day", "created_at")
    runs = {run.schedule_id: run for run in last.filter(schedule__in=rows).reverse()}
    labels = {kind.name: kind.label for kind in run_kinds()}
    return [
        Planned(
            schedule=schedule,
            label=labels.get(schedule.kind, schedule.kind),
            is_known=schedule.kind in labels,
            last=runs.get(schedule.pk),
            next_at=_next_of(schedule, now, runs.get(schedule.pk)),
        )
        for schedule in rows
    ]


def _next_of(schedule: Schedule, now: datetime, last: ScheduledRun | None) -> datetime | None:
    """A day that was moved ahead does not make a second run of a month."""
    if not schedule.is_enabled:
        return None
    return next_due(schedule, now, started=[last.month] if last else [])
