"""Books to be recomputed, drifts to be found in them, and what a run has found."""

from decimal import Decimal
from typing import Any

from django.db.models import F

from accounts.models import Company
from billing.models import Balance, BalanceDrift, Party, Recomputation, RecomputationMode
from billing.services.invoices import void_invoice
from billing.services.payments import void_payment
from billing.services.recomputing import finish_here, start_recomputation
from tests.billing.factories import draft_invoice, posted_invoice, posted_payment, posted_return
from worker.leasing import WorkState

REPORT, APPLY = RecomputationMode.REPORT, RecomputationMode.APPLY


def recompute(company: Company, mode: RecomputationMode = REPORT, **options: Any) -> Recomputation:
    """A run that was started and done in this process, each chunk at the first try."""
    run = start_recomputation(company=company, mode=mode, **{"by": None, **options}).run

    def watch() -> None:
        failed = run.chunks.filter(state=WorkState.QUEUED, attempts__gt=0).first()
        assert failed is None, failed.failure_detail

    finish_here(run, watch)
    return run


def sound_books(party: Party) -> None:
    """Of everything something, and all of it right: 100 invoiced, 40 paid, 5 returned."""
    invoice = posted_invoice(party, "100")
    posted_payment(party, "40", invoice=invoice)
    void_payment(payment=posted_payment(party, "7"), reason="Bounced", by=None)
    void_invoice(invoice=posted_invoice(party, "11"), reason="Wrong", by=None)
    posted_return(party, "5")
    draft_invoice(party, "1000")


def shift(party: Party, *, invoiced: str = "0", returned: str = "0", paid: str = "0") -> None:
    """Falsify the balance, as an error or a hand on the database would."""
    current = Decimal(invoiced) - Decimal(returned) - Decimal(paid)
    Balance.objects.filter(party=party).update(
        invoiced=F("invoiced") + Decimal(invoiced),
        returned=F("returned") + Decimal(returned),
        paid=F("paid") + Decimal(paid),
        current=F("current") + current,
    )


def found(run: Recomputation) -> list[tuple[str, str, Decimal, Decimal, str]]:
    """(party's code, column, before, after, cause) of each drift."""
    columns = ("party__code", "column", "before", "after", "cause")
    rows = BalanceDrift.objects.filter(recomputation=run).order_by("party__code", "column")
    return list(rows.values_list(*columns))


def causes(run: Recomputation) -> list[str]:
    return [row[-1] for row in found(run)]
