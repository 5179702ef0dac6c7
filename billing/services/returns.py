"""Recording goods that came back, and taking that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import models, transaction

from accounts.models import User
from billing.audit import acting
from billing.dates import today
from billing.models import Invoice, InvoiceItem, Party, Return, ReturnItem, Series
from billing.money import LARGEST_DOCUMENT, ZERO, LineAmount, compute_totals, line_amount
from billing.numbering import take_number
from billing.services.balances import Movement, move_balances
from billing.services.checking import MOST_ITEMS, require_day
from billing.services.periods import require_open
from billing.services.returned import Returned
from billing.services.settling import (
    lock_invoice,
    lock_invoices,
    lock_source,
    release,
    require_party,
    settle,
)

_NOT_ENTERED = ["company", "party", "invoice", "return_number", "created_by"]


@dataclass(frozen=True)
class ReturnLine:
    """`quantity` of an invoice's item, or, without an invoice, of what is described."""

    quantity: Decimal
    item: InvoiceItem | None = None
    sku: str = ""
    description: str = ""
    unit_price: Decimal = ZERO
    tax_rate: Decimal = ZERO


def record_return(
    *,
    party: Party,
    lines: Sequence[ReturnLine],
    return_date: date,
    by: User | None,
    invoice: Invoice | None = None,
    reason: str = "",
    may_go_without_invoice: bool = False,
    key: UUID | None = None,
) -> Return:
    """A return of the party: it reduces the balance, and the invoice as far as that is due.

    `key` is its primary key, so that whoever asks with the same one again makes no second return.
    Without an invoice only where that was allowed (or nobody asks: `by` is None), with a reason.
    Raises ValidationError, by field: no line, more than was sold less what came back already, a
    date before the invoice's, in the future or in closed books, an invoice of somebody else, no
    invoice and no reason.
    """
    company, reason = party.company, reason.strip()
    if require_day(return_date, "return_date") > today(company):
        raise ValidationError({"return_date": "The date is in the future."})
    if invoice is None:
        _require_allowed(reason, may_go_without_invoice or by is None)
    if not 0 < len(lines) <= MOST_ITEMS:
        raise ValidationError(f"A return has one line at least, and {MOST_ITEMS:,} at most.")
    with acting(by), transaction.atomic():
        require_open(company=company, day=return_date, field="return_date")
        locked = lock_invoice(invoice) if invoice else None
        if locked is not None and return_date < locked.invoice_date:
            raise ValidationError({"return_date": "The date is before the invoice's."})
        document = Return(
            id=key or uuid4(),
            company=company,
            party=party,
            invoice=locked,
            return_date=return_date,
            reason=reason,
            currency=company.currency,
            prices_include_tax=(locked or company).prices_include_tax,
            created_by=by,
        )
        items = _items(document, lines)
        document.clean_fields(exclude=_NOT_ENTERED)
        _post(document, items)
    return document


def _require_allowed(reason: str, allowed: bool) -> None:
    if not allowed:
        raise ValidationError({"invoice": "Choose the invoice whose goods come back."})
    if not reason:
        raise ValidationError({"reason": "A return without an invoice needs a reason."})


def _post(document: Return, items: list[ReturnItem]) -> None:
    company, day = document.company, document.return_date
    document.return_number = take_number(company=company, series=Series.RETURN, day=day)
    document.save(force_insert=True)
    ReturnItem.objects.bulk_create(items)
    if document.invoice:
        # The rest, if more of it was paid already, is the party's unapplied credit.
        amount = min(document.total, document.invoice.due)
        if amount > 0:
            settle(source=document, invoice=document.invoice, amount=amount, day=day)
    move_balances(company=company, movements={document.party_id: Movement(returned=document.total)})


def _items(document: Return, lines: Sequence[ReturnLine]) -> list[ReturnItem]:
    """The document's items; its totals are set in passing."""
    items = [_item(document, place, line) for place, line in enumerate(lines, start=1)]
    if document.invoice:
        require_party(document.invoice, document.party_id)
        _check_quantities(document.invoice, lines)
        document.net, document.tax = Returned(document.invoice).take(items)
    else:
        _check_described(lines)
        document.net, document.tax = _described(document, items)
    document.total = document.net + document.tax
    return items


def _item(document: Return, position: int, line: ReturnLine) -> ReturnItem:
    source = line.item or line
    return ReturnItem(
        return_document=document,
        invoice_item=line.item,
        position=position,
        sku=source.sku,
        description=source.description,
        quantity=line.quantity,
        unit_price=source.unit_price,
        tax_rate=source.tax_rate,
    )


def _described(document: Return, items: list[ReturnItem]) -> tuple[Decimal, Decimal]:
    """(net, tax) of goods that no invoice says the price of."""
    for item in items:
        item.net = line_amount(
            quantity=item.quantity, unit_price=item.unit_price, currency=document.currency
        )
    totals = compute_totals(
        [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items],
        currency=document.currency,
        prices_include_tax=document.prices_include_tax,
    )
    if totals.total >= LARGEST_DOCUMENT:
        raise ValidationError(f"The total is {LARGEST_DOCUMENT:,} or more.")
    return totals.net, totals.tax


def _check_quantities(invoice: Invoice, lines: Sequence[ReturnLine]) -> None:
    returned = _returned_quantities(invoice)
    for line in lines:
        if line.item is None or line.item.invoice_id != invoice.pk:
            raise ValidationError("Each line must be an item of the invoice.")
        _check_quantity(line)
        left = line.item.quantity - returned.get(line.item.pk, ZERO)
        if line.quantity > left:
            most = f"{line.item.description}: at most {left:.3f} can come back."
            raise ValidationError({"quantity": most})
        returned[line.item.pk] = returned.get(line.item.pk, ZERO) + line.quantity


def _check_quantity(line: ReturnLine) -> None:
    if not line.quantity.is_finite() or line.quantity <= 0:
        raise ValidationError({"quantity": "The quantity must be more than zero."})
    _check_fields(line, "quantity")


def _check_fields(line: ReturnLine, *names: str) -> None:
    """The values fit the columns of the same names."""
    for name in names:
        field: Any = ReturnItem._meta.get_field(name)
        try:
            field.clean(getattr(line, name), None)
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error


def _check_described(lines: Sequence[ReturnLine]) -> None:
    """Lines of a return without an invoice, which nothing says the most of."""
    for line in lines:
        if line.item is not None:
            raise ValidationError({"invoice": "Name the invoice whose items come back."})
        _check_quantity(line)
        _check_fields(line, "unit_price", "tax_rate", "sku")
        if line.unit_price < 0:
            raise ValidationError({"unit_price": "The price must not be negative."})
        if line.quantity * line.unit_price >= LARGEST_DOCUMENT:
            raise ValidationError({"unit_price": f"The amount is {LARGEST_DOCUMENT:,} or more."})


def _returned_quantities(invoice: Invoice) -> dict[int, Decimal]:
    """How much of each item came back already; deleted returns don't count."""
    rows = (
        ReturnItem.objects.filter(
            invoice_item__invoice_id=invoice.pk, return_document__is_active=True
        )
        .values_list("invoice_item_id")
        .annotate(quantity=models.Sum("quantity"))
    )
    # SQLite sums in binary floats.
    return {item: round(Decimal(quantity), 3) for item, quantity in rows}


def delete_return(*, return_document: Return, by: User | None) -> Return:
    """The return as a deleted one: what it settled is due again, and the balance as before it.

    Raises ValidationError, by field: deleted already, closed books.
    """
    with acting(by), transaction.atomic():
        locked = lock_source(return_document)
        require_open(company=locked.company, day=locked.return_date, field="return_date")
        if locked.invoice_id:
            # Nobody may count what came back of it meanwhile. Before `release` locks the others:
            ids = locked.allocations.values_list("invoice_id", flat=True)
            lock_invoices(locked.company_id, [*ids, locked.invoice_id])
        release(locked, by)
        locked.is_active = False
        locked.save(update_fields=["is_active"])
        move_balances(
            company=locked.company, movements={locked.party_id: Movement(returned=-locked.total)}
        )
    return locked
