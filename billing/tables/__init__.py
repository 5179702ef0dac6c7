"""How the lists of billing show their rows."""

from billing.tables.invoices import InvoiceTable
from billing.tables.shared import ListTable

__all__ = ["InvoiceTable", "ListTable"]
