"""What the page of one invoice reads."""

from collections.abc import Sequence
from decimal import Decimal

from billing.models import Allocation, Invoice, InvoiceItem
from billing.money import LineAmount, compute_totals


def items_of(invoice: Invoice) -> list[InvoiceItem]:
    return list(invoice.items.all())


def tax_by_rate(
    invoice: Invoice, items: Sequence[InvoiceItem]
) -> list[tuple[Decimal, Decimal, Decimal]]:
    """(rate, net, tax) a rate, by rate: what the stored net and tax are the sums of."""
    totals = compute_totals(
        [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items],
        currency=invoice.currency,
        prices_include_tax=invoice.prices_include_tax,
        discount_percent=invoice.discount_percent,
        discount_amount=invoice.discount_amount,
        shipping=invoice.shipping,
        shipping_tax_rate=invoice.shipping_tax_rate,
    )
    return [(rate, net, tax) for rate, (net, tax) in totals.by_rate.items()]


def settlements_of(invoice: Invoice) -> list[Allocation]:
    """The payments and returns that were applied to it, the oldest first."""
    return list(
        Allocation.objects.for_company(invoice.company_id)
        .filter(invoice=invoice)
        .select_related("payment", "return_document")
        .order_by("applied_on", "created_at", "pk")
    )
