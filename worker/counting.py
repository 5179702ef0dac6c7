"""Counts and moments that all processes share: what a dispatcher swept, when it last passed."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from worker.models import Mark, Tally

EXPIRED_LEASES = "expired leases"
DISPATCHED = "dispatched"
# Passes come every second, of every dispatcher; one write in a while says as much.
_OFTEN_ENOUGH = timedelta(seconds=2)


def count(name: str, *, kind: str, more: int) -> None:
    """For what seldom happens, such as a lease that ran out: it locks one row."""
    counted = Tally.objects.filter(name=name, kind=kind)
    if not counted.update(total=models.F("total") + more):
        Tally.objects.bulk_create([Tally(name=name, kind=kind)], ignore_conflicts=True)
        counted.update(total=models.F("total") + more)


def totals(name: str) -> dict[str, int]:
    """By kind."""
    return dict(Tally.objects.filter(name=name).values_list("kind", "total"))


def note(name: str) -> None:
    """That it was done now, unless it was noted just before."""
    noted = Mark.objects.filter(name=name)
    if noted.filter(at__lt=Now() - _OFTEN_ENOUGH).update(at=Now()) or noted.exists():
        return
    Mark.objects.bulk_create([Mark(name=name)], ignore_conflicts=True)
