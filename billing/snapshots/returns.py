"""A return as its receipt, the credit note: what came back, why, and what it is credited to."""

from collections.abc import Sequence

from billing.models import Allocation, Return, ReturnItem
from billing.money import Totals, as_text, total
from billing.snapshots.facts import Facts, block_of, exact, paper_facts, rates_of
from documents.papers import Snapshot


def return_snapshot(
    *,
    issuer: Facts,
    return_document: Return,
    items: Sequence[ReturnItem],
    totals: Totals,
    allocations: Sequence[Allocation],
) -> Snapshot:
    currency, invoice = return_document.currency, return_document.invoice
    left = return_document.total - total(allocation.amount for allocation in allocations)
    return {
        **paper_facts(issuer, return_document.company, return_document.party, currency),
        "state": "recorded" if return_document.is_active else "void",
        "number": return_document.return_number,
        "date": return_document.return_date.isoformat(),
        "reason": return_document.reason,
        "invoice": [invoice.invoice_number, invoice.invoice_date.isoformat()] if invoice else None,
        "prices_include_tax": return_document.prices_include_tax,
        "items": [_item(item, currency) for item in items],
        "taxes": rates_of(totals.by_rate, currency),
        "totals": {
            name: as_text(getattr(totals, name), currency)
            for name in ("subtotal", "discount", "net", "tax", "total")
        },
        "credited": [
            [allocation.invoice.invoice_number, as_text(allocation.amount, currency)]
            for allocation in allocations
        ],
        "on_account": as_text(left, currency),
    }


def _item(item: ReturnItem, currency: str) -> list[str]:
    """[sku, description, quantity, unit price, tax rate, amount]."""
    return [
        item.sku,
        block_of(item.description),
        exact(item.quantity),
        exact(item.unit_price),
        exact(item.tax_rate),
        as_text(item.net, currency),
    ]
