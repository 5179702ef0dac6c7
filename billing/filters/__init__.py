"""What the lists of billing can be narrowed by."""

from billing.filters.invoices import InvoiceFilter
from billing.filters.shared import ListFilter

__all__ = ["InvoiceFilter", "ListFilter"]
