"""A company's rate limit, as moments in the database: each e-mail takes the next one.

No worker waits: whoever's moment is to come gives its row back until then. A run takes moments of
the next seconds only, and its other rows wait without one. So a single paper goes out soon beside
ten thousand, and a changed rate, or a cancelled run, is felt at once.
"""

from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.db.models.functions import Now

from accounts.models import Company
from documents.models import Delivery, DeliveryState, MailSettings

_AHEAD = timedelta(seconds=15)
# Shorter than that, so that the moments ahead are never used up before the next are taken.
_PAUSE = timedelta(seconds=10)
# A moment that passed while nobody worked is not made up for: that would be a burst.
_GOOD_FOR = timedelta(seconds=10)
_TRIES = 20


def take_slot(delivery: Delivery) -> bool:
    """True: this row may be sent now. False: it was given back, with its moment to come or without.

    Call it with the row claimed.
    """
    if delivery.slot_at is not None and _use(delivery):
        return True
    for _ in range(_TRIES):
        now, free, interval = _next(delivery.company)
        if delivery.batch_id is not None and free > now + max(_AHEAD, interval):
            _put_off_run(delivery, now + _PAUSE)
            return False
        if _move(delivery.company, free, interval):
            if free > now:
                delivery.put_off(free, slot_at=free)
            return free <= now
    delivery.put_off(now + interval, slot_at=None)
    return False


def _use(delivery: Delivery) -> bool:
    mine = Delivery._base_manager.filter(
        pk=delivery.pk,
        token=delivery.token,
        state=DeliveryState.RUNNING,
        slot_at__range=(Now() - _GOOD_FOR, Now()),
    )
    return mine.update(slot_at=None) == 1


def _next(company: Company) -> tuple[datetime, datetime, timedelta]:
    """The database's time, the next free moment, and how far the one after that is away."""
    row = MailSettings.objects.filter(company=company).annotate(moment=Now()).first()
    if row is None:
        MailSettings.objects.get_or_create(company=company)
        return _next(company)
    now: datetime = row.moment
    free = max(now, row.next_slot_at or now)
    return now, free, timedelta(minutes=1) / row.per_minute


def _move(company: Company, free: datetime, interval: timedelta) -> bool:
    """Take `free`: one UPDATE, of which only one of two at once changes the row."""
    untaken = models.Q(next_slot_at=None) | models.Q(next_slot_at__lte=free)
    rows = MailSettings.objects.filter(untaken, company=company)
    return rows.update(next_slot_at=free + interval) == 1


def _put_off_run(delivery: Delivery, until: datetime) -> None:
    """This one, and with it all that would find the same a moment later.

    But for those that somebody pauses or cancels just now: who waits for one of them with others
    in hand is a deadlock.
    """
    delivery.put_off(until, slot_at=None)
    waiting = Delivery._base_manager.filter(
        company=delivery.company_id,
        batch__isnull=False,
        state=DeliveryState.QUEUED,
        held=False,
        slot_at=None,
        next_attempt_at__lte=Now(),
    )
    skips = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        free = waiting.order_by("pk").select_for_update(skip_locked=skips)
        rows = waiting.filter(pk__in=list(free.values_list("pk", flat=True)))
        rows.update(next_attempt_at=until, published_at=None)
