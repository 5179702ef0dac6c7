"""One pass of the dispatcher: the outbox relay and the sweeper. Several at once are safe.

It frees expired leases, retires what is exhausted, runs the sweeps that other apps registered, and
publishes due work. Messages wait in a queue only up to a window: the rest waits in the database,
in its fair order, where a broker's end can't lose it and nothing piles up.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from math import ceil
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from worker import broker, counting
from worker.leasing import LeasedWork, WorkState, leased_models
from worker.nudging import publish

logger = logging.getLogger("pressroom.dispatcher")

# Such as by a library in C that could not go on without memory: it takes the process with it.
LOST = "The process that worked on it was lost every time: it may need more memory than there is."
Sweep = Callable[[], int]
_sweeps: list[Sweep] = []
_passes = count()


def register_sweep(sweep: Sweep) -> None:
    """`sweep` runs on every pass, in any number of dispatchers at once; it returns a count."""
    _sweeps.append(sweep)


def dispatch_once() -> int:
    """Do what is due now. Returns how many rows were moved or published."""
    counting.note(counting.DISPATCHED)
    moved = sum(sweep_leases(model) for model in leased_models())
    moved += sum(sweep() for sweep in _sweeps)
    return moved + publish_due()


def sweep_leases(model: type[LeasedWork]) -> int:
    """Work whose lease ran out: queued again, or failed when its attempts are used up."""
    settled = model.settle_lost()
    expired = model._base_manager.filter(
        state=WorkState.RUNNING, lease_expires_at__lt=Now()
    ).order_by()
    lost = settled + (_settle(expired) if expired.exists() else 0)
    if lost:
        counting.count(counting.EXPIRED_LEASES, kind=str(model._meta.model_name), more=lost)
    return lost


def _settle(expired: "models.QuerySet[Any]") -> int:
    # Both name their rows in full: a lease may run out between the two statements.
    exhausted = models.Q(attempts__gte=models.F("max_attempts"))
    failed = expired.filter(exhausted).update(**_failed(expired.model.time_limit()))
    return failed + expired.filter(~exhausted).update(**_queued_again())


def _failed(limit: int) -> dict[str, object]:
    return {
        "state": WorkState.FAILED,
        "failure": _why_it_was_lost(limit),
        "finished_at": Now(),
        "token": None,
        "lease_expires_at": None,
    }


def _why_it_was_lost(limit: int) -> models.Case:
    ran_into_the_limit = models.Q(
        lease_expires_at__gte=models.F("started_at") + timedelta(seconds=limit)
    )
    return models.Case(
        models.When(ran_into_the_limit, then=models.Value(f"It took longer than {limit} seconds.")),
        default=models.Value(LOST),
    )


def _queued_again() -> dict[str, object]:
    return {
        "state": WorkState.QUEUED,
        "token": None,
        "lease_expires_at": None,
        "next_attempt_at": Now(),
        "published_at": None,
    }


def publish_due() -> int:
    """Fill each queue up to the window. Without a broker: nothing, until it is back."""
    try:
        depths = broker.queue_depths()
    except OperationalError as error:
        logger.warning("The broker is away: %s", error)
        return 0
    kinds = _in_turn()
    heads = _heads() if kinds and any(depths.values()) else {}
    return sum(
        _fill(queue, depth, kinds, _lost(depth, heads.get(queue)))
        for queue, depth in depths.items()
    )


def _in_turn() -> list[type[LeasedWork]]:
    """The kinds of which something is due: mostly few, and each is looked for in every queue.

    Each pass begins with another: where there is room for one message only, all get it.
    """
    kinds = [model for model in leased_models() if model.due().order_by().exists()]
    first = next(_passes) % max(1, len(kinds))
    return kinds[first:] + kinds[:first]


def _fill(queue: str, depth: int, kinds: list[type[LeasedWork]], lost: models.Q) -> int:
    """A share of the room for each kind of work, so that ten thousand rows of one don't keep the
    few of another out; what is left is for those that have more.
    """
    room = settings.DISPATCH_WINDOW - depth
    if room <= 0 or not kinds:
        return 0
    share = ceil(room / len(kinds))
    published, more = 0, []
    for model in kinds:
        sent = _publish_some(model, queue, min(share, room - published), lost)
        published += sent
        if sent == share:
            more.append(model)
    for model in more:
        published += _publish_some(model, queue, room - published, lost)
    return published


def _publish_some(model: type[LeasedWork], queue: str, room: int, lost: models.Q) -> int:
    if room <= 0:
        return 0
    rows = _take(model, queue, room, lost=lost)
    unsent = publish(rows)
    if unsent:
        model._base_manager.filter(pk__in=[row.pk for row in unsent]).update(published_at=None)
    return len(rows) - len(unsent)


def _heads() -> dict[str, datetime]:
    """When what workers have in hand was published, the latest of each queue: how far it is."""
    in_hand = [
        model._base_manager.filter(state=WorkState.RUNNING, published_at__isnull=False)
        .order_by()
        .values_list("queue")
        .annotate(at=models.Max("published_at"))
        for model in leased_models()
    ]
    heads: dict[str, datetime] = {}
    for queue, at in in_hand[0].union(*in_hand[1:], all=True):
        heads[queue] = max(at, heads.get(queue, at))
    return heads


def _lost(depth: int, head: datetime | None) -> models.Q:
    """Which of the published rows that still wait have lost their message.

    In an empty queue it should have been taken at once. In a long one it may well be in there,
    unless what was published well after it is in hand already: a queue keeps its order.
    """
    after: timedelta = settings.DISPATCH_REPUBLISH_AFTER
    lost = models.Q(published_at__lt=Now() - (after if depth == 0 else 15 * after))
    return lost if head is None else lost | models.Q(published_at__lt=head - after)


def _take(model: type[LeasedWork], queue: str, room: int, *, lost: models.Q) -> list[LeasedWork]:
    """Mark up to `room` due rows as published and return them: no second dispatcher has them."""
    unpublished = models.Q(published_at=None) | lost
    with transaction.atomic():
        rows = list(
            model.due()
            .filter(unpublished, queue=queue)
            .select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
            .only("pk", "queue")[:room]
        )
        model._base_manager.filter(pk__in=[row.pk for row in rows]).update(published_at=Now())
    return list(rows)
