"""What goes again: the unsent, to the addresses that the address book has now."""

from collections.abc import Sequence
from typing import Any

from django.db import models, transaction

from accounts.audit import Changes, note_each
from accounts.models import User
from documents.models import UNSENT, Batch, Delivery, DeliveryState, DocumentState
from documents.services.recipients import address_problem, present_addresses
from documents.services.releasing import Deliveries, let_go

_AT_ONCE = 1000
_COMING = (DocumentState.READY, DocumentState.QUEUED, DocumentState.RUNNING)


def resend_unsent(*, batch: Batch, by: User | None) -> int:
    """Queue a run's e-mails that failed, were cancelled or came back; never one that may have
    arrived. Each goes to the address that its party has now. Returns how many are queued.
    """
    mine = models.Exists(batch.items.filter(document=models.OuterRef("document")).order_by())
    return send_again(deliveries=Delivery.objects.for_company(batch.company_id).filter(mine), by=by)


def send_again(*, deliveries: Deliveries, by: User | None, decided: bool = False) -> int:
    """Queue what was not sent, under the same message ids. Returns how many are queued.

    `deliveries` are of one company. What may have arrived is left out, unless a person `decided`
    that it goes again. Those without a good address, or without a paper, stay and say why.
    """
    states = (*UNSENT, DeliveryState.UNKNOWN) if decided else UNSENT
    queued = 0
    with transaction.atomic():
        rows = list(
            deliveries.filter(state__in=states)
            .select_for_update(of=("self",))
            .order_by("pk")
            .defer("body", "failure_detail")
        )
        for place in range(0, len(rows), _AT_ONCE):
            queued += _send_again(rows[place : place + _AT_ONCE], by)
    return queued


def _send_again(rows: Sequence[Delivery], by: User | None) -> int:
    """`rows` are locked: what was read of them stays so."""
    before = {row.pk: (row.get_state_display(), row.address) for row in rows}
    good = _with_addresses(rows)
    mine = Delivery._base_manager.filter(pk__in=[row.pk for row in good])
    papers = dict(mine.values_list("pk", "document__state"))
    going = [row for row in good if papers[row.pk] in _COMING]
    Delivery._base_manager.filter(pk__in=[row.pk for row in going]).update(**_AS_NEW)
    ready = [row.pk for row in going if papers[row.pk] == DocumentState.READY]
    let_go(Delivery._base_manager.filter(pk__in=ready))
    note_each(((row, _changes(row, *before[row.pk])) for row in going), by)
    return len(going)


_AS_NEW: dict[str, Any] = {
    "state": DeliveryState.QUEUED,
    "held": True,
    "attempts": 0,
    "handing_over_at": None,
    "slot_at": None,
    "finished_at": None,
    "published_at": None,
    "failure": "",
    "failure_detail": "",
    "answer": "",
}


def _with_addresses(rows: Sequence[Delivery]) -> list[Delivery]:
    """Those that can be sent to; each row has its present address, the others say what is wrong.

    One that may have arrived keeps the address at which it may have.
    """
    book = present_addresses(rows[0].company, rows)
    changed, good = [], []
    for row in rows:
        address = book.get(row.recipient_id, "")
        problem = address_problem(address)
        if problem and row.state == DeliveryState.UNKNOWN:
            continue
        if problem:
            row.state, row.failure = DeliveryState.FAILED, problem
        else:
            good.append(row)
        if problem or address != row.address:
            row.address = address
            changed.append(row)
    Delivery._base_manager.bulk_update(changed, ["address", "state", "failure"], batch_size=500)
    return good


def _changes(row: Delivery, state: str, address: str) -> Changes:
    changes = {"state": (state, str(DeliveryState.QUEUED.label))}
    return changes | ({"address": (address, row.address)} if address != row.address else {})
