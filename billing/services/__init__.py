"""What changes several rows at once. `from billing.services import issue_invoice`."""

from billing.services.balances import Movement, lock_balances, move_balances, set_opening
from billing.services.challans import (
    cancel_challan,
    deliver_challan,
    invoice_challans,
    save_challan,
)
from billing.services.credits import apply_credit
from billing.services.drafts import copy_invoice, delete_draft, preview_totals, save_draft
from billing.services.invoices import issue_invoice, void_invoice
from billing.services.payments import record_payment, void_payment
from billing.services.periods import close_books, require_open
from billing.services.retrying import retry_transient
from billing.services.returns import ReturnLine, delete_return, record_return
from billing.services.statement_runs import start_statement_run

__all__ = [
    "Movement",
    "ReturnLine",
    "apply_credit",
    "cancel_challan",
    "close_books",
    "copy_invoice",
    "delete_draft",
    "delete_return",
    "deliver_challan",
    "invoice_challans",
    "issue_invoice",
    "lock_balances",
    "move_balances",
    "preview_totals",
    "record_payment",
    "record_return",
    "require_open",
    "retry_transient",
    "save_challan",
    "save_draft",
    "set_opening",
    "start_statement_run",
    "void_invoice",
    "void_payment",
]
