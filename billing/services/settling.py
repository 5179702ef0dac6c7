"""Applying payments and returns to invoices, and taking that back.

Whoever settles locks in one order: first the payment or return, then the invoices by their keys,
then, through `move_balances`, the balances by theirs.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

from accounts.models import Company, User
from billing.audit import Changes, note_each
from billing.models import Allocation, Invoice, InvoiceState, Payment, Return
from billing.money import LARGEST, ZERO, as_text, round_money

Source = Payment | Return
SourceT = TypeVar("SourceT", bound=Source)


def lock_invoices(company: Company | UUID, invoice_ids: Iterable[UUID]) -> list[Invoice]:
    """The invoices as they are now, held until the transaction ends, in the order of their keys.

    The one order is what keeps two who settle the same invoices from waiting for ever.
    """
    rows = Invoice.objects.for_company(company).filter(pk__in=set(invoice_ids))
    return list(rows.order_by("pk").select_for_update())


def lock_invoice(invoice: Invoice) -> Invoice:
    """A posted invoice, locked as above: each cashier sees what the one before left due."""
    locked = lock_invoices(invoice.company_id, [invoice.pk])
    if not locked:
        raise ValidationError({"invoice": "The invoice is deleted."})
    if not locked[0].is_posted:
        raise ValidationError({"invoice": f"The invoice is {locked[0].get_state_display()}."})
    return locked[0]


def lock_source(source: SourceT) -> SourceT:
    """The payment or return as it is now, held. Raises ValidationError if it is void or deleted."""
    rows: Any = type(source).objects.for_company(source.company_id).filter(pk=source.pk)
    locked: SourceT | None = rows.select_for_update(of=("self",)).select_related("company").first()
    if locked is None:
        raise ValidationError({"source": f"{source} is deleted."})
    if isinstance(locked, Payment) and locked.voided_at is not None:
        raise ValidationError({"source": f"{source} is void already."})
    return locked


def require_party(invoice: Invoice, party_id: UUID) -> None:
    if invoice.party_id != party_id:
        raise ValidationError({"invoice": "The invoice belongs to another party."})


def require_amount(amount: Decimal, currency: str, field: str = "amount") -> None:
    """Raises ValidationError unless it is a positive amount in whole minor units."""
    if not amount.is_finite() or amount <= 0:
        raise ValidationError({field: "The amount must be more than zero."})
    if amount >= LARGEST:
        raise ValidationError({field: f"The amount must be less than {LARGEST:,}."})
    if amount != round_money(amount, currency):
        raise ValidationError({field: f"{currency} has no such fraction as in {amount}."})


def unapplied_of(source: Source) -> Decimal:
    """What of a locked payment or return settles no invoice yet."""
    found = source.allocations.aggregate(applied=models.Sum("amount", default=ZERO))
    applied = round_money(Decimal(found["applied"]), source.currency)
    return amount_of(source) - applied


def amount_of(source: Source) -> Decimal:
    return Decimal(source.amount if isinstance(source, Payment) else source.total)


def settle(
    *, source: Source, invoice: Invoice, amount: Decimal, day: date, field: str = "amount"
) -> Allocation:
    """Settle `amount` of a locked invoice. Raises ValidationError when it is more than is due."""
    if amount > invoice.due:
        much, due = (as_text(each, invoice.currency) for each in (amount, invoice.due))
        raise ValidationError(
            {field: f"{much} is more than the balance due of {due} on {invoice}."}
        )
    allocation = Allocation(company_id=invoice.company_id, invoice=invoice, amount=amount)
    if isinstance(source, Payment):
        allocation.payment = source
        invoice.paid += amount
    else:
        allocation.return_document = source
        invoice.returned += amount
    save_settled(invoice)
    # What was received before the invoice settles it from its date on.
    allocation.applied_on = max(day, invoice.invoice_date)
    allocation.save()
    return allocation


def release(source: Source, by: User | None) -> None:
    """Take a locked payment or return back from all the invoices that it settles."""
    ids = list(source.allocations.values_list("invoice_id", flat=True))
    invoices = {invoice.pk: invoice for invoice in lock_invoices(source.company_id, ids)}
    # Read again: an invoice may have been voided while its lock was waited for.
    allocations = list(source.allocations.filter(invoice_id__in=invoices))
    for allocation in allocations:
        invoice = invoices[allocation.invoice_id]
        allocation.invoice = invoice
        if isinstance(source, Payment):
            invoice.paid -= allocation.amount
        else:
            invoice.returned -= allocation.amount
        save_settled(invoice)
    forget(allocations, by)


def forget(allocations: list[Allocation], by: User | None) -> None:
    """Delete allocations whose invoices are locked; the trails of both sides say so."""
    changes: list[tuple[models.Model, Changes]] = []
    for allocation in allocations:
        source = allocation.payment or allocation.return_document
        amount = as_text(allocation.amount, allocation.invoice.currency)
        changes.append((allocation.invoice, {"settled": (f"{amount} by {source}", "")}))
        if source is not None:
            changes.append((source, {"applied": (f"{amount} to {allocation.invoice}", "")}))
    note_each(changes, by)
    for allocation in allocations:
        allocation.delete()


def save_settled(invoice: Invoice) -> None:
    invoice.state = settled_state(invoice)
    invoice.save(update_fields=["paid", "returned", "state", "updated_at"])


def settled_state(invoice: Invoice) -> InvoiceState:
    """The state that an issued invoice's amounts stand for."""
    if invoice.due <= 0:
        return InvoiceState.PAID
    return InvoiceState.PART_PAID if invoice.paid + invoice.returned > 0 else InvoiceState.ISSUED
