"""What people type into billing. `from billing.forms import InvoiceForm`."""

from billing.forms.balances import BalanceFormSet
from billing.forms.challans import (
    ChallanForm,
    ChallanItemFormSet,
)
from billing.forms.invoices import InvoiceForm, InvoiceItemFormSet
from billing.forms.parties import (
    PartyForm,
)
from billing.forms.payments import (
    PaymentForm,
)
from billing.forms.returns import (
    ReturnForm,
    ReturnItemFormSet,
)

__all__ = [
    "BalanceFormSet",
    "ChallanForm",
    "ChallanItemFormSet",
    "InvoiceForm",
    "InvoiceItemFormSet",
    "PartyForm",
    "PaymentForm",
    "ReturnForm",
    "ReturnItemFormSet",
]
