"""Applying credit of a party, money on account or goods that came back, to its invoices."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from billing.audit import acting, note_each
from billing.dates import today
from billing.models import Allocation, Invoice, Payment, Return
from billing.money import as_text
from billing.services.periods import require_open
from billing.services.settling import (
    lock_invoice,
    lock_source,
    require_amount,
    require_party,
    settle,
    unapplied_of,
)


def apply_credit(
    *,
    source: Payment | Return,
    invoice: Invoice,
    amount: Decimal,
    by: User | None,
    day: date | None = None,
) -> Allocation:
    """Settle `amount` of the invoice with the source's credit, on `day` (today).

    The balance stays: the credit is in it already. Raises ValidationError, by field: more than the
    balance due or than is left of the source; an invoice of another party; a day that is in the
    future or in closed books; a source that is void or deleted.
    """
    company = source.company
    require_amount(amount, company.currency)
    day = day or today(company)
    if day > today(company):
        raise ValidationError({"day": "The date is in the future."})
    with acting(by), transaction.atomic():
        require_open(company=company, day=day, field="day")
        locked = lock_source(source)
        target = lock_invoice(invoice)
        require_party(target, locked.party_id)
        _require_credit(locked, amount)
        since = locked.payment_date if isinstance(locked, Payment) else locked.return_date
        allocation = settle(source=locked, invoice=target, amount=amount, day=max(day, since))
        _note(allocation, locked, by)
    return allocation


def _require_credit(source: Payment | Return, amount: Decimal) -> None:
    rest = unapplied_of(source)
    if amount > rest:
        much, left = (as_text(each, source.currency) for each in (amount, rest))
        raise ValidationError({"amount": f"{much} is more than what is left of {source}: {left}."})


def _note(allocation: Allocation, source: Payment | Return, by: User | None) -> None:
    """The invoice's own entry says that its state changed, and not by what."""
    amount = as_text(allocation.amount, source.currency)
    note_each(
        [
            (source, {"applied": ("", f"{amount} to {allocation.invoice}")}),
            (allocation.invoice, {"settled": ("", f"{amount} by {source}")}),
        ],
        by,
    )
