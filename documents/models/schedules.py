"""Runs that start by themselves, once a month each."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from accounts.scoping import CompanyManager, CompanyOwned
from documents.models.batches import Batch


class Schedule(CompanyOwned):
    """A run of `kind` over the month that ended, on a day of each month, in the company's zone."""

    kind = models.CharField(max_length=30)
    # 31 means the last day of a month that is shorter.
    day = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    hour = models.PositiveSmallIntegerField(default=6, validators=[MaxValueValidator(23)])
    send = models.BooleanField(default=False, help_text="E-mail the papers when they are ready.")
    is_enabled = models.BooleanField(default=True)
    # Months before this one are not caught up.
    starts_on = models.DateField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[CompanyManager["Schedule"]] = CompanyManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(day__range=(1, 31)), name="schedule_day_valid"
            ),
            models.CheckConstraint(
                condition=models.Q(hour__range=(0, 23)), name="schedule_hour_valid"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on day {self.day}"


class ScheduledRun(models.Model):
    """That a schedule ran for a month: unique, so it runs once however many ask."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="runs")
    month = models.DateField(help_text="The first day of the month in which it was due.")
    due_at = models.DateTimeField()
    batch = models.ForeignKey(Batch, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "month"], name="scheduled_run_once_a_month")
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} · {self.month}"
