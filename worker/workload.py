"""What waits, runs and failed, of every kind of leased work, in one statement by its indexes.

What is done is never counted here: it grows for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models.functions import Now

from worker.leasing import LeasedWork, WorkState, leased_models

DUE, LATER, HELD, RUNNING, FAILED = "queued", "later", "held", "running", "failed"


@dataclass(frozen=True)
class Load:
    """`count` rows of a kind in a queue; `since` when the oldest could have been at work.

    States: queued (due now), later (to be tried again then), held (its run is paused, or its paper
    not ready), running, failed (and not put away).
    """

    kind: str
    queue: str
    state: str
    count: int
    since: datetime | None


@dataclass(frozen=True)
class Work:
    """One row that runs, or waits longest."""

    kind: str
    queue: str
    state: str
    pk: str
    since: datetime
    attempts: int
    claimed_by: str


def workload() -> list[Load]:
    parts = [part for model in leased_models() for part in _parts(model)]
    first, *others = parts
    return [Load(*row) for row in first.union(*others, all=True)]


def _parts(model: type[LeasedWork]) -> Iterator["models.QuerySet[Any, Any]"]:
    state = models.Case(
        models.When(held=True, then=models.Value(HELD)),
        models.When(next_attempt_at__gt=Now(), then=models.Value(LATER)),
        default=models.Value(DUE),
        output_field=models.CharField(),
    )
    queued = model._base_manager.filter(state=WorkState.QUEUED)
    yield _counted(model, queued, state, "next_attempt_at")
    running = model._base_manager.filter(state=WorkState.RUNNING)
    yield _counted(model, running, models.Value(RUNNING), "started_at")
    yield _counted(model, model.open_failures(), models.Value(FAILED), "finished_at")


def _counted(
    model: type[LeasedWork],
    rows: "models.QuerySet[Any]",
    state: models.expressions.Combinable,
    since: str,
) -> "models.QuerySet[Any, Any]":
    counted: models.QuerySet[Any, Any] = (
        rows.order_by()
        .values(work_kind=_name(model), work_queue=models.F("queue"), work_state=state)
        .annotate(count=models.Count("pk"), since=models.Min(since))
        .values_list("work_kind", "work_queue", "work_state", "count", "since")
    )
    return counted


def running_work(most: int = 100) -> list[Work]:
    """What is being worked on, the longest first."""
    running = {"state": WorkState.RUNNING}
    return _listed([(model, running, "started_at") for model in leased_models()], most)


def oldest_waiting(most: int = 8) -> list[Work]:
    """What is due longest and not at work."""
    rows = [
        (model, {"state": WorkState.QUEUED, "held": False}, "next_attempt_at")
        for model in leased_models()
    ]
    return _listed(rows, most)


def _listed(parts: list[tuple[type[LeasedWork], dict[str, Any], str]], most: int) -> list[Work]:
    first, *others = [
        model._base_manager.filter(**which, **{f"{since}__lte": Now()})
        .order_by()
        .annotate(
            work_kind=_name(model),
            work_id=models.functions.Cast("pk", models.CharField()),
            work_since=models.F(since),
        )
        .values_list(
            "work_kind", "queue", "state", "work_id", "work_since", "attempts", "claimed_by"
        )
        for model, which, since in parts
    ]
    found = first.union(*others, all=True).order_by("work_since")[:most]
    return [Work(*row) for row in found]


def _name(model: type[LeasedWork]) -> models.Value:
    return models.Value(str(model._meta.model_name), output_field=models.CharField())
