"""What a person says became of an e-mail, where the mail server can't."""

from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now

from accounts.audit import note_each
from accounts.models import User
from documents.models import DeliveryState
from documents.services.releasing import Deliveries, cancel_deliveries
from documents.services.resending import send_again

_AT_ONCE = 1000
_MOST = 200


class Decision(StrEnum):
    ARRIVED = "arrived"
    AGAIN = "again"
    CAME_BACK = "came-back"
    CANCEL = "cancel"


# Which rows each decision is about; the others stay as they are.
APPLIES = {
    Decision.ARRIVED: (DeliveryState.UNKNOWN,),
    Decision.AGAIN: (
        DeliveryState.UNKNOWN,
        DeliveryState.FAILED,
        DeliveryState.CANCELLED,
        DeliveryState.BOUNCED,
    ),
    Decision.CAME_BACK: (DeliveryState.UNKNOWN, DeliveryState.SENT),
    Decision.CANCEL: (DeliveryState.QUEUED,),
}


def decide(*, deliveries: Deliveries, decision: Decision, by: User | None, reason: str = "") -> int:
    """Record `decision` for those of `deliveries`, of one company, that it is about.

    Returns how many changed. Raises ValidationError: something that came back needs a reason.
    """
    if decision == Decision.AGAIN:
        return send_again(deliveries=deliveries, by=by, decided=True)
    if decision == Decision.CANCEL:
        return cancel_deliveries(deliveries, by=by)
    if decision == Decision.CAME_BACK:
        return _record(deliveries, decision, by, state=DeliveryState.BOUNCED, failure=_why(reason))
    return _record(deliveries, decision, by, state=DeliveryState.SENT, failure="")


def _why(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise ValidationError({"reason": "Say what the notice said, or how you know."})
    return f"It came back: {reason[:_MOST]}"


def _record(deliveries: Deliveries, decision: Decision, by: User | None, **values: Any) -> int:
    """One UPDATE a thousand rows, of which each must still be what was decided about."""
    about = deliveries.filter(state__in=APPLIES[decision])
    with transaction.atomic():
        rows = list(about.select_for_update(of=("self",)).order_by("pk").defer("body"))
        for place in range(0, len(rows), _AT_ONCE):
            chunk = [row.pk for row in rows[place : place + _AT_ONCE]]
            about.filter(pk__in=chunk).update(finished_at=Now(), **values)
        after = str(DeliveryState(values["state"]).label)
        told = {"failure": ("", values["failure"])} if values["failure"] else {}
        note_each(((row, {"state": (row.get_state_display(), after)} | told) for row in rows), by)
    return len(rows)
