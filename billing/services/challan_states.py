"""The arrows of a challan: open -> delivered -> invoiced, or cancelled; each one conditional."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from accounts.models import User
from billing.audit import note
from billing.models import Challan, ChallanState, Invoice


def change_challans(
    challans: list[Challan],
    *,
    of: Iterable[ChallanState],
    to: ChallanState,
    by: User | None,
    **set_: Any,
) -> None:
    """Move challans of one company along one arrow, all or none.

    Must be called in a transaction. Raises ValidationError unless each was in a state `of`.
    """
    rows = Challan.objects.for_company(challans[0].company_id).filter(
        pk__in=[challan.pk for challan in challans], state__in=list(of)
    )
    if rows.update(state=to, updated_at=now(), **set_) != len(challans):
        raise ValidationError(f"This can only be done while {' or '.join(of)}.")
    before = challans[0].state
    changes = {"state": (str(before), str(to))}
    changes |= {
        name: (str(getattr(challans[0], name) or ""), str(value or ""))
        for name, value in set_.items()
    }
    note(challans, changes, by)
    for challan in challans:
        challan.state = to
        for name, value in set_.items():
            setattr(challan, name, value)


def free_challans(invoice: Invoice, by: User | None) -> None:
    """The challans of a locked invoice that is no more are delivered, and may be invoiced again."""
    challans = list(
        Challan.objects.for_company(invoice.company_id)
        .filter(invoice=invoice)
        .order_by("pk")
        .select_for_update()
    )
    if challans:
        change_challans(
            challans,
            of=[ChallanState.INVOICED],
            to=ChallanState.DELIVERED,
            by=by,
            invoice=None,
        )
