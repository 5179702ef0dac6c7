"""The arrows of a challan: open -> delivered -> invoiced, or cancelled; each one conditional."""

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.timezone import now

from accounts.models import User
from billing.audit import note
from billing.models import Challan, ChallanState, Invoice

_DELIVERED_WITH = re.compile(r"^Delivered with (.+)\.$", re.MULTILINE)


def delivered_with(challans: Iterable[Challan]) -> str:
    """What the invoice of some challans says of them."""
    return f"Delivered with {', '.join(challan.challan_number for challan in challans)}."


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


def take_over_challans(copied: Invoice, by: User | None) -> None:
    """The challans that a copied invoice named are billed by the copy, where all of them may be
    billed again, as after a void; where not, the copy does not name them.

    Must be called in a transaction.
    """
    said = _DELIVERED_WITH.search(copied.notes)
    if said is None:
        return
    numbers = said[1].split(", ")
    challans = list(
        Challan.objects.for_company(copied.company_id)
        .filter(party=copied.party_id, challan_number__in=numbers)
        .order_by("pk")
        .select_for_update()
    )
    if len(challans) == len(numbers) and {row.state for row in challans} == {
        ChallanState.DELIVERED
    }:
        change_challans(
            challans,
            of=[ChallanState.DELIVERED],
            to=ChallanState.INVOICED,
            by=by,
            invoice=copied,
        )
    elif challans:
        copied.notes = copied.notes.replace(said[0], "").strip()
        copied.save(update_fields=["notes"])
