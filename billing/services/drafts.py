"""Drafts of invoices: entered, changed, copied and deleted; nothing of them is in the books."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from billing.audit import acting
from billing.dates import today
from billing.models import Invoice, InvoiceItem, InvoiceState, Party
from billing.money import ZERO, Totals
from billing.services.challan_states import free_challans, take_over_challans
from billing.services.checking import active_party, check_invoice, check_totals
from billing.services.invoices import locked_draft, set_totals
from billing.services.items import note_items, replace_items
from billing.services.periods import require_open

_ENTERED = (
    "party",
    "invoice_date",
    "due_date",
    "reference",
    "currency",
    "prices_include_tax",
    "discount_percent",
    "discount_amount",
    "shipping",
    "shipping_tax_rate",
    "notes",
    "terms",
)
_COMPUTED = ("subtotal", "discount", "net", "tax", "rounding", "total")


def save_draft(*, invoice: Invoice, items: Sequence[InvoiceItem], by: User | None) -> Invoice:
    """The draft with these items, in this order, and its totals; new if it wasn't saved before.

    A new one takes over from the company whether prices include tax; every one its currency. The
    due date is the party's terms after the invoice's date, if not given. State, number and what
    was paid are not taken from `invoice`. Raises ValidationError, by field.
    """
    if invoice._state.adding:
        invoice.prices_include_tax = invoice.company.prices_include_tax
    return store_draft(invoice, items, by)


def store_draft(invoice: Invoice, items: Sequence[InvoiceItem], by: User | None) -> Invoice:
    """As `save_draft`, and prices are as the invoice says."""
    is_new = invoice._state.adding
    try:
        with acting(by), transaction.atomic():
            _store(invoice, list(items), by)
    except BaseException:
        invoice._state.adding = is_new  # so that it can be tried again
        raise
    return invoice


def _store(invoice: Invoice, items: list[InvoiceItem], by: User | None) -> None:
    is_new = invoice._state.adding
    if not is_new:
        draft = locked_draft(invoice, "Only a draft can be changed.")
        _require_party_of_challans(draft, invoice.party_id)
    party = active_party(invoice.company, invoice.party_id)
    invoice.currency = invoice.company.currency
    check_invoice(invoice, items)
    _set_due_date(invoice, party)
    require_open(company=invoice.company, day=invoice.invoice_date, field="invoice_date")
    set_totals(invoice, items)
    check_totals(invoice, items)
    if is_new:
        _as_new(invoice, by)
        invoice.save(force_insert=True)
    else:
        invoice.save(update_fields=[*_ENTERED, *_COMPUTED, "updated_at"])
    note_items(invoice, replace_items(invoice, items), by)


def _require_party_of_challans(draft: Invoice, party_id: UUID) -> None:
    """Goods that one party got are not billed to another."""
    if draft.party_id != party_id and draft.challans.exists():
        raise ValidationError(
            {"party": "It has challans of another party: delete the draft, or keep the party."}
        )


def _as_new(invoice: Invoice, by: User | None) -> None:
    """Whatever a form was made to set."""
    invoice.state, invoice.invoice_number, invoice.void_reason = InvoiceState.DRAFT, "", ""
    invoice.paid = invoice.returned = ZERO
    invoice.issued_at = invoice.voided_at = None
    invoice.is_active, invoice.created_by = True, by


def _set_due_date(invoice: Invoice, party: Party) -> None:
    given: date | None = invoice.due_date  # a form leaves it empty
    if given is None:
        invoice.due_date = invoice.invoice_date + timedelta(days=party.payment_terms_days)
    if invoice.due_date < invoice.invoice_date:
        raise ValidationError({"due_date": "The due date is before the invoice's date."})


def preview_totals(*, invoice: Invoice, items: Sequence[InvoiceItem]) -> Totals:
    """What `save_draft` would make of it, with each item's net set; nothing is saved.

    Raises ValidationError for what can't be computed. The party may be missing still.
    """
    if invoice._state.adding:
        invoice.prices_include_tax = invoice.company.prices_include_tax
    invoice.currency = invoice.company.currency
    check_invoice(invoice, items)
    totals = set_totals(invoice, items)
    check_totals(invoice, items)
    return totals


def copy_invoice(*, invoice: Invoice, by: User | None, key: UUID | None = None) -> Invoice:
    """A new draft of today with the same content, of any invoice; that of a void one bills its
    challans. With the `key` of one that is there it is that one: copied twice, it is one draft.
    """
    with acting(by), transaction.atomic():
        source = _held(invoice)
        made = Invoice.objects.for_company(source.company).filter(pk=key).first() if key else None
        if made is not None:
            return made
        party = active_party(source.company, source.party_id)
        copied = Invoice(company=source.company, invoice_date=today(source.company))
        if key is not None and not Invoice.all_objects.across_companies().filter(pk=key).exists():
            copied.pk = key
        for name in _ENTERED:
            if name not in ("invoice_date", "due_date"):
                setattr(copied, name, getattr(source, name))
        copied.due_date = copied.invoice_date + timedelta(days=party.payment_terms_days)
        draft = store_draft(copied, list(source.items.all()), by)
        take_over_challans(source=source, copied=draft, by=by)
    return draft


def _held(invoice: Invoice) -> Invoice:
    """The invoice as it is now, so that two who copy it do so one after the other."""
    rows = Invoice.objects.for_company(invoice.company_id).filter(pk=invoice.pk)
    rows = rows.select_for_update(of=("self",), no_key=True).select_related("company")
    found: Invoice | None = rows.first()
    if found is None:
        raise ValidationError("The invoice is deleted.")
    return found


def delete_draft(*, invoice: Invoice, by: User | None) -> Invoice:
    """The draft as a deleted one; its challans may be invoiced again."""
    with acting(by), transaction.atomic():
        draft = locked_draft(invoice, "Only a draft can be deleted.")
        draft.is_active = False
        draft.save(update_fields=["is_active", "updated_at"])
        free_challans(draft, by)
    return draft
