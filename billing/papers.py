"""The kinds of paper and of runs that billing has, told to the documents engine at start."""

from billing.kinds import BATCH_LIST, STATEMENT
from billing.selectors.addresses import party_addresses
from billing.services.covering_lists import covering_list
from billing.services.paper_runs import plan_papers
from billing.services.papers import CHALLAN, INVOICE, PAYMENT_RECEIPT, RETURN_RECEIPT
from billing.services.scheduled_runs import start_scheduled_statements
from billing.services.statement_runs import plan_statements
from documents.papers import RunKind, register_address_book, register_paper, register_run

STATEMENT_RUN = RunKind(
    name="statement",
    label="Statement run",
    plan=plan_statements,
    start_scheduled=start_scheduled_statements,
    cover=covering_list,
    start_url_name="billing:statement_run",
)
PAPER_RUNS = (
    RunKind(name="invoice-papers", label="Invoices", plan=plan_papers, cover=covering_list),
    RunKind(name="receipt-papers", label="Receipts", plan=plan_papers, cover=covering_list),
    RunKind(name="return-papers", label="Credit notes", plan=plan_papers, cover=covering_list),
    RunKind(name="challan-papers", label="Challans", plan=plan_papers, cover=covering_list),
)


def register() -> None:
    register_address_book(party_addresses)
    for kind in (INVOICE, PAYMENT_RECEIPT, RETURN_RECEIPT, CHALLAN, STATEMENT, BATCH_LIST):
        register_paper(kind)
    for run in (STATEMENT_RUN, *PAPER_RUNS):
        register_run(run)
