"""The arrows of a challan: open -> delivered -> invoiced, or cancelled; each one conditional."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from accounts.models import User
from billing.audit import note
from billing.models import Challan, ChallanState, Invoice


def in_order(challans: Iterable[Challan]) -> list[Challan]:
    """As an invoice has their goods, and names them."""
    return sorted(challans, key=lambda challan: (challan.challan_date, challan.challan_number))


def delivered_with(challans: Iterable[Challan]) -> str:
    """What the invoice of some challans says of them."""
    return f"Delivered with {', '.join(challan.challan_number for challan in in_order(challans))}."


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


def bill_challans(challans: list[Challan], invoice: Invoice, by: User | None) -> None:
    """Locked challans are invoiced by a draft. Raises ValidationError unless all are delivered."""
    change_challans(
        challans,
        of=[ChallanState.DELIVERED],
        to=ChallanState.INVOICED,
        by=by,
        invoice=invoice,
    )
    invoice.challans_ever.add(*challans)


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


def take_over_challans(*, source: Invoice, copied: Invoice, by: User | None) -> None:
    """The challans that `source` billed are billed by its copy, where all of them may be billed
    again, as after a void; where not, the copy does not name them.

    Must be called in a transaction. Which they are is not read from the notes: people change them.
    """
    challans = list(
        Challan.objects.for_company(copied.company_id)
        .filter(billed_by=source)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    if not challans:
        return
    if {challan.state for challan in challans} == {ChallanState.DELIVERED}:
        bill_challans(challans, copied, by)
    else:
        copied.notes = copied.notes.replace(delivered_with(challans), "").strip()
        copied.save(update_fields=["notes"])


def challans_not_taken_over(*, source: Invoice, copied: Invoice) -> list[Challan]:
    """Those that `source` billed and its copy does not, in order."""
    rows = Challan.objects.for_company(copied.company_id).filter(billed_by=source)
    return in_order(rows.exclude(billed_by=copied))
