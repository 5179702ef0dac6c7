"""Issuing an invoice, and voiding it: each all of it, in one transaction, or nothing."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from billing.audit import acting
from billing.models import Invoice, InvoiceItem, InvoiceState, Return, Series
from billing.money import ZERO, LineAmount, Totals, compute_totals, line_amount
from billing.numbering import take_number
from billing.services.balances import Movement, move_balances
from billing.services.challan_states import free_challans
from billing.services.checking import check_totals, given_reason
from billing.services.periods import require_open
from billing.services.settling import forget, settled_state
from billing.snapshots.facts import party_facts


def issue_invoice(*, invoice: Invoice, by: User | None) -> Invoice:
    """The draft as an issued invoice: its totals fixed, its number taken, the balance moved.

    Raises ValidationError if it is no draft, has no item, is of an inactive party or is dated in
    closed books.
    """
    with acting(by), transaction.atomic():
        draft = locked_draft(invoice, "Only a draft can be issued.")
        require_open(company=draft.company, day=draft.invoice_date, field="invoice_date")
        items = list(draft.items.all())
        _require_issuable(draft, items)
        set_totals(draft, items)
        check_totals(draft, items)
        InvoiceItem.objects.bulk_update(items, ["net"])
        draft.invoice_number = take_number(
            company=draft.company, series=Series.INVOICE, day=draft.invoice_date
        )
        draft.state = settled_state(draft)  # one of nothing is paid
        draft.issued_at = now()
        draft.billed_to = party_facts(draft.party)
        draft.save()
        move_balances(
            company=draft.company, movements={draft.party_id: Movement(invoiced=draft.total)}
        )
    return draft


def _require_issuable(draft: Invoice, items: Sequence[InvoiceItem]) -> None:
    if not items:
        raise ValidationError("An invoice needs at least one item before it is issued.")
    if not draft.party.is_active:
        raise ValidationError(
            "The party is inactive, and would get no statement: activate it first."
        )
    if draft.currency != draft.company.currency:
        raise ValidationError(
            f"The draft is in {draft.currency}, and the company now bills in "
            f"{draft.company.currency}: look over its prices and save it again."
        )


def locked_draft(invoice: Invoice, refusal: str) -> Invoice:
    """The draft as it is now, held. Raises ValidationError with `refusal` if it is none."""
    draft = _locked(invoice)
    if draft is None or draft.state != InvoiceState.DRAFT:
        raise ValidationError(refusal)
    return draft


def _locked(invoice: Invoice) -> Invoice | None:
    rows = Invoice.objects.for_company(invoice.company_id).filter(pk=invoice.pk)
    found: Invoice | None = (
        rows.select_for_update(of=("self",))
        .select_related("company", "party")
        .order_by("pk")
        .first()
    )
    return found


def void_invoice(*, invoice: Invoice, reason: str, by: User | None) -> Invoice:
    """The invoice as a void one. It keeps its number; what was paid becomes the party's credit.

    Raises ValidationError, by field: no reason, closed books; and if it is a draft, void already,
    or goods came back against it.
    """
    reason = given_reason(reason)
    with acting(by), transaction.atomic():
        locked = _locked(invoice)
        if locked is None or not locked.is_posted:
            raise ValidationError(_why_not_void(locked))
        require_open(company=locked.company, day=locked.invoice_date, field="invoice_date")
        _require_no_returns(locked)
        forget(list(locked.allocations.select_related("payment", "return_document")), by)
        locked.paid = locked.returned = ZERO
        locked.state, locked.voided_at, locked.void_reason = InvoiceState.VOID, now(), reason
        locked.save()
        free_challans(locked, by)
        move_balances(
            company=locked.company, movements={locked.party_id: Movement(invoiced=-locked.total)}
        )
    return locked


def _why_not_void(invoice: Invoice | None) -> str:
    if invoice is None:
        return "The invoice is deleted."
    if invoice.state == InvoiceState.DRAFT:
        return "A draft is not voided: delete it."
    return "The invoice is void already."


def _require_no_returns(invoice: Invoice) -> None:
    returns = Return.objects.for_company(invoice.company_id).filter(invoice=invoice)
    numbers = list(returns.order_by("return_number").values_list("return_number", flat=True)[:5])
    if numbers:
        raise ValidationError(
            f"Goods of the invoice came back: delete the returns {', '.join(numbers)} first."
        )


def set_totals(invoice: Invoice, items: Sequence[InvoiceItem]) -> Totals:
    """Compute each item's net and the invoice's header in place; nothing is saved."""
    for item in items:
        item.net = line_amount(
            quantity=item.quantity,
            unit_price=item.unit_price,
            currency=invoice.currency,
            discount_percent=item.discount_percent,
            discount_amount=item.discount_amount,
        )
    totals = compute_totals(
        [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items],
        currency=invoice.currency,
        prices_include_tax=invoice.prices_include_tax,
        discount_percent=invoice.discount_percent,
        discount_amount=invoice.discount_amount,
        shipping=invoice.shipping,
        shipping_tax_rate=invoice.shipping_tax_rate,
        rounding_step=invoice.company.total_rounding_step,
    )
    for name in ("subtotal", "discount", "net", "tax", "rounding", "total"):
        setattr(invoice, name, getattr(totals, name))
    return totals
