"""Freezing facts for paper: what a document shows, as JSON, amounts as strings.

docs/architecture.md describes the snapshot of each kind. Nothing that changes from one request to
the next (the time, who asks) belongs in one: the same facts must be the same paper.
"""

from billing.snapshots.batch_lists import LEFT_OUT, Row, batch_list_snapshot
from billing.snapshots.challans import challan_snapshot
from billing.snapshots.facts import company_facts, party_facts
from billing.snapshots.invoices import invoice_snapshot
from billing.snapshots.payments import receipt_snapshot
from billing.snapshots.returns import return_snapshot
from billing.snapshots.statements import statement_snapshot

__all__ = [
    "LEFT_OUT",
    "Row",
    "batch_list_snapshot",
    "challan_snapshot",
    "company_facts",
    "invoice_snapshot",
    "party_facts",
    "receipt_snapshot",
    "return_snapshot",
    "statement_snapshot",
]
