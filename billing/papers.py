"""The kinds of paper and of runs that billing has, told to the documents engine at start."""

from billing.kinds import STATEMENT
from billing.services.papers import CHALLAN, INVOICE, PAYMENT_RECEIPT, RETURN_RECEIPT
from billing.services.statement_runs import plan_statements
from documents.papers import RunKind, register_paper, register_run

STATEMENT_RUN = RunKind(name="statement", label="Statement run", plan=plan_statements)


def register() -> None:
    for kind in (INVOICE, PAYMENT_RECEIPT, RETURN_RECEIPT, CHALLAN, STATEMENT):
        register_paper(kind)
    register_run(STATEMENT_RUN)
