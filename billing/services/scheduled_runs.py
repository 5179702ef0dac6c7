"""The runs that a schedule starts."""

from datetime import date, timedelta

from billing.dates import Period
from billing.services.statement_runs import start_statement_run
from documents.models import Batch, Schedule


def start_scheduled_statements(schedule: Schedule, month: date) -> Batch:
    """Statements over the month before the one in which the schedule is due."""
    end = month - timedelta(days=1)
    return start_statement_run(
        company=schedule.company,
        period=Period(end.replace(day=1), end),
        by=schedule.created_by,
        send=schedule.send,
    )
