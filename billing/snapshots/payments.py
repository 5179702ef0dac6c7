"""A payment as its receipt: how much, how, and what it was applied to."""

from collections.abc import Sequence

from billing.models import Allocation, Payment
from billing.money import as_text, total
from billing.snapshots.facts import Facts, block_of, paper_facts
from documents.papers import Snapshot


def receipt_snapshot(
    *, issuer: Facts, payment: Payment, allocations: Sequence[Allocation]
) -> Snapshot:
    """`allocations` with their invoices; what they leave is credit on account."""
    currency = payment.currency
    left = payment.amount - total(allocation.amount for allocation in allocations)
    return {
        **paper_facts(issuer, payment.company, payment.party, currency),
        "state": "void" if payment.voided_at or not payment.is_active else "recorded",
        "void_reason": payment.void_reason,
        "number": payment.payment_number,
        "date": payment.payment_date.isoformat(),
        "amount": as_text(payment.amount, currency),
        "method": payment.method,
        "reference": payment.reference,
        # Without an invoice when it came in, it is a General Payment, also once it is applied.
        "is_general": payment.invoice_id is None,
        "applied": [_applied(allocation, currency) for allocation in allocations],
        "on_account": as_text(left, currency),
        "notes": block_of(payment.notes),
    }


def _applied(allocation: Allocation, currency: str) -> list[str]:
    """[invoice number, invoice date, invoice total, amount applied]."""
    invoice = allocation.invoice
    return [
        invoice.invoice_number,
        invoice.invoice_date.isoformat(),
        as_text(invoice.total, currency),
        as_text(allocation.amount, currency),
    ]
