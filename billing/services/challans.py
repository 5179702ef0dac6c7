"""Delivery challans: entered, delivered, cancelled, and turned into one draft of an invoice."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from billing.audit import acting
from billing.dates import today
from billing.models import Challan, ChallanItem, ChallanState, Invoice, InvoiceItem, Series
from billing.numbering import take_number
from billing.services.challan_states import (
    bill_challans,
    change_challans,
    delivered_with,
    in_order,
)
from billing.services.checking import (
    MOST_ITEMS,
    active_party,
    check_items,
    given_reason,
    require_day,
)
from billing.services.drafts import save_draft
from billing.services.items import note_items, replace_items
from billing.services.periods import require_open

_ENTERED = ("party", "challan_date", "vehicle", "driver", "place", "reference", "notes")
_NOT_ENTERED = ["company", "party", "challan_number", "state", "invoice", "created_by"]


def save_challan(*, challan: Challan, items: Sequence[ChallanItem], by: User | None) -> Challan:
    """The open challan with these items, in this order; a new one takes its number.

    State, number and invoice are not taken from `challan`. Raises ValidationError, by field.
    """
    is_new, number = challan._state.adding, challan.challan_number
    try:
        with acting(by), transaction.atomic():
            _store(challan, list(items), by)
    except BaseException:
        challan._state.adding, challan.challan_number = is_new, number  # to be tried again
        raise
    return challan


def _store(challan: Challan, items: list[ChallanItem], by: User | None) -> None:
    is_new = challan._state.adding
    if not is_new:
        stored = _lock([challan])[0]
        if stored.state != ChallanState.OPEN:
            raise ValidationError("Only an open challan can be changed.")
        require_open(company=challan.company, day=stored.challan_date, field="challan_date")
    active_party(challan.company, challan.party_id)
    _check(challan, items)
    require_open(company=challan.company, day=challan.challan_date, field="challan_date")
    if is_new:
        _as_new(challan, by)
        challan.challan_number = take_number(
            company=challan.company, series=Series.CHALLAN, day=challan.challan_date
        )
        challan.save(force_insert=True)
    else:
        challan.save(update_fields=[*_ENTERED, "updated_at"])
    note_items(challan, replace_items(challan, items), by)


def _check(challan: Challan, items: Sequence[ChallanItem]) -> None:
    require_day(challan.challan_date, "challan_date")
    challan.clean_fields(exclude=_NOT_ENTERED)
    if not items:
        raise ValidationError("A challan needs at least one item.")
    check_items(items)


def _as_new(challan: Challan, by: User | None) -> None:
    """Whatever a form was made to set."""
    challan.state, challan.invoice, challan.cancel_reason = ChallanState.OPEN, None, ""
    challan.delivered_on, challan.is_active, challan.created_by = None, True, by


def _lock(challans: Sequence[Challan]) -> list[Challan]:
    """The challans as they are now, held, in the order of their keys. None may be missing."""
    ids = {challan.pk for challan in challans}
    rows = Challan.objects.for_company(challans[0].company_id).filter(pk__in=ids)
    locked = list(
        rows.order_by("pk").select_for_update(of=("self",)).select_related("company", "party")
    )
    if len(locked) < len(ids):
        raise ValidationError("A challan is deleted.")
    return locked


def deliver_challan(*, challan: Challan, delivered_on: date, by: User | None) -> Challan:
    """The open challan as a delivered one. Raises ValidationError, by field."""
    with acting(by), transaction.atomic():
        [locked] = _lock([challan])
        day = require_day(delivered_on, "delivered_on")
        if day > today(locked.company):
            raise ValidationError({"delivered_on": "The date is in the future."})
        if day < locked.challan_date:
            raise ValidationError({"delivered_on": "The date is before the challan's."})
        require_open(company=locked.company, day=day, field="delivered_on")
        change_challans(
            [locked],
            of=[ChallanState.OPEN],
            to=ChallanState.DELIVERED,
            by=by,
            delivered_on=day,
        )
    return locked


def cancel_challan(*, challan: Challan, reason: str, by: User | None) -> Challan:
    """The open or delivered challan as a cancelled one; it keeps its number."""
    reason = given_reason(reason)
    with acting(by), transaction.atomic():
        [locked] = _lock([challan])
        require_open(company=locked.company, day=locked.challan_date, field="challan_date")
        change_challans(
            [locked],
            of=[ChallanState.OPEN, ChallanState.DELIVERED],
            to=ChallanState.CANCELLED,
            by=by,
            cancel_reason=reason,
        )
    return locked


def invoice_challans(*, challans: Sequence[Challan], by: User | None) -> Invoice:
    """One draft of today with the items of delivered challans of one party; each only once.

    Raises ValidationError if any is not delivered or invoiced already: then none is.
    """
    if not challans:
        raise ValidationError("Choose at least one challan.")
    with acting(by), transaction.atomic():
        locked = in_order(_lock(challans))
        _require_invoiceable(locked)
        party = active_party(locked[0].company, locked[0].party_id)
        day = today(party.company)
        draft = Invoice(
            company=locked[0].company,
            party=party,
            invoice_date=day,
            due_date=day + timedelta(days=party.payment_terms_days),
            reference=", ".join(dict.fromkeys(row.reference for row in locked if row.reference))[
                :100
            ],
            notes=delivered_with(locked),
            terms=locked[0].company.terms,
        )
        save_draft(invoice=draft, items=_invoice_items(locked), by=by)
        bill_challans(locked, draft, by)
    return draft


def _require_invoiceable(challans: Sequence[Challan]) -> None:
    if len({challan.party_id for challan in challans}) > 1:
        raise ValidationError("The challans are of several parties.")
    for challan in challans:
        if challan.state != ChallanState.DELIVERED:
            raise ValidationError(
                f"{challan} is {challan.get_state_display()}: only delivered ones are invoiced."
            )


def _invoice_items(challans: Sequence[Challan]) -> list[InvoiceItem]:
    rows = ChallanItem.objects.filter(challan__in=challans).order_by("position")[: MOST_ITEMS + 1]
    order = {challan.pk: place for place, challan in enumerate(challans)}
    return [
        InvoiceItem(
            sku=row.sku,
            description=row.description,
            quantity=row.quantity,
            unit=row.unit,
            unit_price=row.unit_price,
            tax_rate=row.tax_rate,
        )
        for row in sorted(rows, key=lambda row: (order[row.challan_id], row.position))
    ]
