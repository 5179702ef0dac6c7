"""An invoice as it is printed: a draft, issued, or void."""

from collections.abc import Sequence

from accounts.payment_links import fill_payment_url
from billing.models import Invoice, InvoiceItem, InvoiceState
from billing.money import Totals, as_text
from billing.snapshots.facts import Facts, block_of, exact, paper_facts, rates_of
from documents.papers import Snapshot

_PRINTED_AS = {InvoiceState.DRAFT: "draft", InvoiceState.VOID: "void"}


def invoice_snapshot(
    *, issuer: Facts, invoice: Invoice, items: Sequence[InvoiceItem], totals: Totals
) -> Snapshot:
    """`totals` as `billing.money` computed them; what was paid is read from the invoice."""
    facts = paper_facts(issuer, invoice.company, invoice.party, invoice.currency)
    state = _PRINTED_AS.get(InvoiceState(invoice.state), "issued")
    sums = _totals(invoice, totals)
    return {
        **facts,
        "links": {**facts["links"], **_pay_link(invoice, state, sums["due"])},
        # Who moves afterwards was still billed at the old address.
        "party": invoice.billed_to or facts["party"],
        "state": state,
        "void_reason": invoice.void_reason,
        "number": invoice.invoice_number,
        "date": invoice.invoice_date.isoformat(),
        "due_date": invoice.due_date.isoformat(),
        "reference": invoice.reference,
        "prices_include_tax": invoice.prices_include_tax,
        "items": [_item(item, invoice.currency) for item in items],
        "taxes": rates_of(totals.by_rate, invoice.currency),
        "totals": sums,
        "notes": block_of(invoice.notes),
        "terms": block_of(invoice.terms),
    }


def _item(item: InvoiceItem, currency: str) -> list[str]:
    """[sku, description, quantity, unit, price, discount %, discount, tax rate, amount]."""
    return [
        item.sku,
        block_of(item.description),
        exact(item.quantity),
        item.unit,
        exact(item.unit_price),
        exact(item.discount_percent) if item.discount_percent else "",
        as_text(item.discount_amount, currency) if item.discount_amount else "",
        exact(item.tax_rate),
        as_text(item.net, currency),
    ]


def _pay_link(invoice: Invoice, state: str, due: str) -> Facts:
    """None on a paper that asks for no money."""
    pattern = invoice.company.payment_url_pattern
    if not pattern or state != "issued" or due.startswith("-") or not due.strip("0."):
        return {}
    filled = fill_payment_url(
        pattern, number=invoice.invoice_number, amount=due, currency=invoice.currency
    )
    return {"pay": filled}


def _totals(invoice: Invoice, totals: Totals) -> dict[str, str]:
    amounts = {
        name: getattr(totals, name)
        for name in ("subtotal", "discount", "shipping", "net", "tax", "rounding", "total")
    }
    amounts |= {"paid": invoice.paid, "returned": invoice.returned}
    amounts["due"] = totals.total - invoice.paid - invoice.returned
    texts = {name: as_text(amount, invoice.currency) for name, amount in amounts.items()}
    percent = exact(invoice.discount_percent) if invoice.discount_percent else ""
    return {**texts, "discount_percent": percent}
