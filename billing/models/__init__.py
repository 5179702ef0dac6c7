"""The billing domain's records. `from billing.models import Invoice`."""

from billing.models.allocations import Allocation
from billing.models.balances import Balance
from billing.models.challans import Challan, ChallanItem, ChallanState
from billing.models.invoices import Invoice, InvoiceItem, InvoiceState
from billing.models.parties import Party
from billing.models.payments import Payment, PaymentMethod
from billing.models.recomputations import (
    BalanceDrift,
    Recomputation,
    RecomputationChunk,
    RecomputationMode,
    RecomputationState,
)
from billing.models.returns import Return, ReturnItem
from billing.models.sequences import NumberSequence, Series

__all__ = [
    "Allocation",
    "Balance",
    "BalanceDrift",
    "Challan",
    "ChallanItem",
    "ChallanState",
    "Invoice",
    "InvoiceItem",
    "InvoiceState",
    "NumberSequence",
    "Party",
    "Payment",
    "PaymentMethod",
    "Recomputation",
    "RecomputationChunk",
    "RecomputationMode",
    "RecomputationState",
    "Return",
    "ReturnItem",
    "Series",
]
