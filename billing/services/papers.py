"""Records as paper: an invoice, a receipt, a return's receipt, a challan."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from decimal import Decimal

from django.db.models import Prefetch

from accounts.models import User
from billing import snapshots
from billing.audit import note
from billing.models import (
    Allocation,
    Challan,
    Invoice,
    InvoiceItem,
    InvoiceState,
    Payment,
    Return,
    ReturnItem,
)
from billing.money import LineAmount, Totals, adding_up_to, compute_totals, total
from billing.services.invoices import set_totals
from billing.snapshots import labels
from billing.snapshots.facts import Facts
from documents.models import Document, DocumentState
from documents.papers import Paper, PaperKind, Snapshot
from documents.services.requests import queue_again, request_document

Printable = Invoice | Payment | Return | Challan
# Of what a credit was applied to. One order whoever asks: the same facts are the same paper.
_APPLIED_ORDER = ("invoice__invoice_date", "invoice__invoice_number", "created_at", "pk")
# For whoever makes papers of many credits: what they were applied to, in one query for all.
APPLIED = Prefetch(
    "allocations",
    queryset=Allocation.objects.across_companies()  # each row's own, and the rows are of one
    .select_related("invoice")
    .order_by(*_APPLIED_ORDER),
    to_attr="applied_rows",
)

INVOICE = PaperKind(
    name="invoice",
    label="Invoice",
    template="pdf/invoice.html",
    version=3,
    labels=labels.INVOICE,
    reads_since=2,
)
PAYMENT_RECEIPT = PaperKind(
    name="payment-receipt",
    label="Receipt",
    template="pdf/payment_receipt.html",
    version=2,
    labels=labels.RECEIPT,
)
RETURN_RECEIPT = PaperKind(
    name="return-receipt",
    label="Credit note",
    template="pdf/return_receipt.html",
    version=2,
    labels=labels.CREDIT_NOTE,
)
CHALLAN = PaperKind(
    name="challan",
    label="Challan",
    template="pdf/challan.html",
    version=2,
    labels=labels.CHALLAN,
)


def request_paper(*, record: Printable, by: User | None) -> Document:
    """The document for the record's present facts: found, or queued and on its way.

    One that failed or was cancelled is queued again: somebody asks for it now. Raises
    ValidationError while a run that holds it is being planned.
    """
    paper = paper_of(record)
    document = request_document(company=record.company, paper=paper, by=by)
    before = document.get_state_display()
    stopped = document.state in (DocumentState.FAILED, DocumentState.CANCELLED)
    if stopped and queue_again(document, at_once=True):
        note([document], {"state": (before, document.get_state_display())}, by)
    return document


def paper_of(record: Printable, *, keep: bool = True, issuer: Facts | None = None) -> Paper:
    """The record's present facts as a paper. With `keep` off nothing is written on the way.

    A run of many gives what it has read for all of them: `issuer`, as
    `billing.snapshots.company_facts`, and by `APPLIED` what credits were applied to.
    """
    if issuer is None:
        issuer = snapshots.company_facts(record.company, keep=keep)
    if isinstance(record, Payment | Return):
        return _CREDIT_PAPERS[type(record)](record, issuer, _applied(record))
    return _PAPERS[type(record)](record, issuer)


def _paper(
    kind: PaperKind,
    record: Printable,
    snapshot: Snapshot,
    title: str,
    amount: Decimal | None,
) -> Paper:
    party = record.party
    return Paper(
        kind=kind,
        snapshot=snapshot,
        locale=snapshot["locale"],
        title=title[:200],
        subject_id=record.pk,
        recipient_id=party.pk,
        recipient_code=party.code,
        recipient_name=party.name,
        amount=amount,
        currency=snapshot["currency"] if amount is not None else "",
    )


def _invoice_paper(invoice: Invoice, issuer: Facts) -> Paper:
    items = list(invoice.items.all())
    is_draft = invoice.state == InvoiceState.DRAFT
    # A draft's totals are what they come to now; issued ones are as they were posted.
    totals = set_totals(copy(invoice), items) if is_draft else _posted_totals(invoice, items)
    snapshot = snapshots.invoice_snapshot(
        issuer=issuer,
        invoice=invoice,
        items=items,
        totals=totals,
    )
    title = f"Draft invoice {invoice.party.code}" if is_draft else f"Invoice {invoice}"
    return _paper(INVOICE, invoice, snapshot, title, totals.total)


def _posted_totals(invoice: Invoice, items: Sequence[InvoiceItem]) -> Totals:
    """The stored header, with its tax by rate, which is a function of the stored lines."""
    lines = [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items]
    computed = compute_totals(
        lines,
        currency=invoice.currency,
        prices_include_tax=invoice.prices_include_tax,
        discount_percent=invoice.discount_percent,
        discount_amount=invoice.discount_amount,
        shipping=invoice.shipping,
        shipping_tax_rate=invoice.shipping_tax_rate,
    )
    return Totals(
        subtotal=invoice.subtotal,
        discount=invoice.discount,
        shipping=invoice.shipping,
        net=invoice.net,
        tax=invoice.tax,
        rounding=invoice.rounding,
        total=invoice.total,
        by_rate=computed.by_rate,
    )


def _receipt_paper(payment: Payment, issuer: Facts, applied: list[Allocation]) -> Paper:
    snapshot = snapshots.receipt_snapshot(
        issuer=issuer,
        payment=payment,
        allocations=applied,
    )
    return _paper(PAYMENT_RECEIPT, payment, snapshot, f"Receipt {payment}", payment.amount)


def _return_paper(return_document: Return, issuer: Facts, applied: list[Allocation]) -> Paper:
    items = list(return_document.items.all())
    snapshot = snapshots.return_snapshot(
        issuer=issuer,
        return_document=return_document,
        items=items,
        totals=_returned_totals(return_document, items),
        allocations=applied,
    )
    title = f"Credit note {return_document}"
    return _paper(RETURN_RECEIPT, return_document, snapshot, title, return_document.total)


def _returned_totals(return_document: Return, items: Sequence[ReturnItem]) -> Totals:
    """The stored header, with its tax by rate, which its lines tell but for minor units."""
    subtotal = total(item.net for item in items)
    taxed = return_document.total if return_document.prices_include_tax else return_document.net
    computed = compute_totals(
        [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items],
        currency=return_document.currency,
        prices_include_tax=return_document.prices_include_tax,
        discount_amount=subtotal - taxed,
    )
    net, tax = return_document.net, return_document.tax
    return replace(
        computed,
        net=net,
        tax=tax,
        total=return_document.total,
        by_rate=adding_up_to(computed.by_rate, net=net, tax=tax),
    )


def _challan_paper(challan: Challan, issuer: Facts) -> Paper:
    snapshot = snapshots.challan_snapshot(
        issuer=issuer,
        challan=challan,
        items=list(challan.items.all()),
    )
    return _paper(CHALLAN, challan, snapshot, f"Challan {challan}", None)


def _applied(source: Payment | Return) -> list[Allocation]:
    read: list[Allocation] | None = getattr(source, "applied_rows", None)
    if read is not None:
        return read
    return list(source.allocations.select_related("invoice").order_by(*_APPLIED_ORDER))


_PAPERS: dict[type, Callable[..., Paper]] = {Invoice: _invoice_paper, Challan: _challan_paper}
_CREDIT_PAPERS: dict[type, Callable[..., Paper]] = {Payment: _receipt_paper, Return: _return_paper}
