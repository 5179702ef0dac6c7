"""When an e-mail that was asked for may go: with its paper, and not while its run is paused."""

from collections.abc import Sequence
from uuid import UUID

from django.db import models, transaction
from django.db.models.functions import Concat, Now

from accounts.audit import note
from accounts.models import User
from documents.models import Batch, Delivery, DeliveryState, Document, DocumentState

NO_PAPER = "Its paper could not be made: "
# What a released row may have been: also failed or cancelled for want of its paper.
_ENDED = (DeliveryState.FAILED, DeliveryState.CANCELLED)
_REVIVED = (DeliveryState.QUEUED, *_ENDED)
# In a worker's hands, which must ask (`hand_over`) before a mail server gets it.
_TAKEN = models.Q(state=DeliveryState.RUNNING, handing_over_at=None)

Deliveries = models.QuerySet[Delivery]


def release_deliveries(documents: Sequence[Document]) -> None:
    """Let what waits for these documents go, and give up what waits for one that failed.

    Called in the transaction that announces them.
    """
    ready = [row.pk for row in documents if row.state == DocumentState.READY]
    failed = [row.pk for row in documents if row.state == DocumentState.FAILED]
    held = Delivery._base_manager.filter(held=True)
    if ready:
        let_go(held.filter(document__in=ready))
    if failed:
        _give_up(held.filter(document__in=failed))


def release_overdue() -> int:
    """A sweep: those whose paper was announced just while they were being asked for, and those
    whose paper a person cancelled, which nothing announces.
    """
    held = Delivery._base_manager.filter(held=True, state=DeliveryState.QUEUED)
    announced = held.filter(document__announced_at__isnull=False)
    ready = announced.filter(document__state=DocumentState.READY)
    # A paused run's are as many each time: they are left alone before they are locked, too.
    moved = let_go(ready.exclude(batch__is_paused=True))
    moved += _give_up(announced.filter(document__state=DocumentState.FAILED))
    return moved + _cancel(held.filter(document__state=DocumentState.CANCELLED))


def _cancel(deliveries: Deliveries) -> int:
    with transaction.atomic():
        return _locked(deliveries, DeliveryState.QUEUED).update(
            state=DeliveryState.CANCELLED, finished_at=Now(), failure="Its paper was cancelled."
        )


def _give_up(deliveries: Deliveries) -> int:
    why = Document._base_manager.filter(pk=models.OuterRef("document")).values("failure")[:1]
    with transaction.atomic():
        return _locked(deliveries, DeliveryState.QUEUED).update(
            state=DeliveryState.FAILED,
            finished_at=Now(),
            failure=Concat(models.Value(NO_PAPER), models.Subquery(why)),
        )


def let_go(deliveries: Deliveries) -> int:
    """Those of `deliveries`, whose papers are ready, that no paused run holds back."""
    with transaction.atomic():
        held = _locked(deliveries, *_REVIVED)
        return held.exclude(batch__is_paused=True).update(
            state=DeliveryState.QUEUED,
            held=False,
            failure="",
            finished_at=None,
            next_attempt_at=Now(),
            published_at=None,
        )


def _locked(deliveries: Deliveries, *states: DeliveryState) -> Deliveries:
    """Those of `deliveries` that are held and in one of `states`, whoever else changes them.

    Somebody may be pausing or cancelling them at this moment. The lock waits for that to be
    committed, and what is asked next sees it: an UPDATE that had to wait itself would look at
    their papers and runs as they were before.
    """
    rows = _lock(deliveries.filter(held=True, state__in=states))
    return Delivery._base_manager.filter(pk__in=rows, held=True, state__in=states)


def _lock(deliveries: Deliveries) -> list[UUID]:
    return list(
        deliveries.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
    )


def pause_deliveries(batch: Batch) -> int:
    """Hold a run's e-mails back; what a mail server may have is sent. Mark the run as paused first.

    One that a worker took and has not handed over yet is taken from it: else it would wait for its
    next attempt, or its place in the rate limit, and go out while the run is paused.
    """
    mine = Delivery.objects.for_company(batch.company_id).filter(batch=batch)
    # What is being let go at this moment is held back with the others.
    _lock(mine.filter(state=DeliveryState.QUEUED))
    taken = mine.filter(_TAKEN).update(
        state=DeliveryState.QUEUED,
        held=True,
        attempts=models.F("attempts") - 1,
        published_at=None,
        token=None,
        lease_expires_at=None,
    )
    return taken + mine.filter(state=DeliveryState.QUEUED, held=False).update(held=True)


def resume_deliveries(batch: Batch) -> int:
    """Let a run's e-mails go whose papers are ready. Mark the run as not paused first."""
    mine = Delivery.objects.for_company(batch.company_id).filter(batch=batch)
    return let_go(mine.filter(document__state=DocumentState.READY))


def cancel_deliveries(
    deliveries: Deliveries, *, by: User | None, reason: str = "It was cancelled."
) -> int:
    """Those that no mail server may have yet won't be sent, also not once their paper is made."""
    waiting = deliveries.filter(models.Q(state=DeliveryState.QUEUED) | _TAKEN)
    with transaction.atomic():
        deliveries.filter(held=True, state__in=_ENDED).update(held=False)
        rows = list(waiting.select_for_update(of=("self",)).order_by("pk").defer("body"))
        for place in range(0, len(rows), 1000):
            chunk = [row.pk for row in rows[place : place + 1000]]
            waiting.filter(pk__in=chunk).update(
                state=DeliveryState.CANCELLED,
                held=False,
                finished_at=Now(),
                failure=reason,
                token=None,
                lease_expires_at=None,
            )
        words = (DeliveryState.QUEUED.label, DeliveryState.CANCELLED.label)
        note(rows, {"state": words}, by)
    return len(rows)
