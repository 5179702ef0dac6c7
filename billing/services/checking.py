"""What a document's header and items must be before they are computed with or stored."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError

from accounts.models import Company
from billing.dates import YEARS
from billing.models import ChallanItem, Invoice, InvoiceItem, Party
from billing.money import LARGEST_DOCUMENT, round_money

MOST_ITEMS = 1000
_LONGEST_REASON = 200  # as the columns are
_COMPUTED = ["subtotal", "discount", "net", "tax", "rounding", "total", "paid", "returned"]
_NOT_ENTERED = [*_COMPUTED, "company", "party", "invoice_number", "state", "due_date", "created_by"]


def active_party(company: Company, party_id: UUID | None) -> Party:
    """The party. Raises ValidationError if it is another company's, or was deleted."""
    party = None
    if party_id is not None:
        party = Party.objects.for_company(company).filter(pk=party_id).first()
    if party is None:
        raise ValidationError({"party": "Choose an active party of the company."})
    return party


def given_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "Say why."})
    if len(reason) > _LONGEST_REASON:
        raise ValidationError({"reason": f"At most {_LONGEST_REASON} characters."})
    return reason


def require_day(day: date | None, field: str) -> date:
    if day is None or day.year not in YEARS:
        raise ValidationError({field: f"Give a date in the years {YEARS[0]} to {YEARS[-1]}."})
    return day


def check_invoice(invoice: Invoice, items: Sequence[InvoiceItem]) -> None:
    """Everything that can be wrong before the totals are known. Raises ValidationError."""
    require_day(invoice.invoice_date, "invoice_date")
    invoice.clean_fields(exclude=_NOT_ENTERED)
    for field in ("discount_amount", "shipping"):
        amount = getattr(invoice, field)
        if amount < 0:
            raise ValidationError({field: "The amount must not be negative."})
        if amount != round_money(amount, invoice.currency):
            raise ValidationError(
                {field: f"{invoice.currency} has no such fraction as in {amount}."}
            )
    check_items(items)
    for place, item in enumerate(items, start=1):
        _check_discount(place, item, invoice.currency)


def check_items(items: Sequence[InvoiceItem | ChallanItem]) -> None:
    if len(items) > MOST_ITEMS:
        raise ValidationError(f"At most {MOST_ITEMS:,} items, and these are {len(items):,}.")
    for place, item in enumerate(items, start=1):
        try:
            item.clean_fields(exclude=["id", "invoice", "challan", "position", "net"])
        except ValidationError as error:
            field, messages = next(iter(error.message_dict.items()))
            raise ValidationError(f"Item {place}: {field}: {messages[0]}") from error
        if item.quantity < 0 or item.unit_price < 0:
            raise ValidationError(f"Item {place}: quantity and price must not be negative.")
        if item.quantity * item.unit_price >= LARGEST_DOCUMENT:
            raise ValidationError(f"Item {place}: its amount is {LARGEST_DOCUMENT:,} or more.")


def _check_discount(place: int, item: InvoiceItem, currency: str) -> None:
    discount = Decimal(item.discount_amount)
    if discount < 0:
        raise ValidationError(f"Item {place}: the discount must not be negative.")
    if discount != round_money(discount, currency):
        raise ValidationError(
            f"Item {place}: {currency} has no such fraction as in a discount of {discount}."
        )


def check_totals(invoice: Invoice, items: Sequence[InvoiceItem]) -> None:
    """A discount takes off no more than there is, and the total fits. Raises ValidationError."""
    if any(item.net < 0 for item in items):
        raise ValidationError("The discount of an item is more than its amount.")
    if invoice.discount > invoice.subtotal:
        raise ValidationError({"discount_amount": "The discount is more than the invoice."})
    if invoice.total < 0:
        raise ValidationError("The total must not be negative.")
    if invoice.total >= LARGEST_DOCUMENT:
        raise ValidationError(f"The total is {LARGEST_DOCUMENT:,} or more.")
