"""What the page of balances reads: parties with their balance and their last statement."""

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from accounts.models import Company
from billing.kinds import STATEMENT
from billing.models import Balance, Party
from billing.selectors.lists import Sort
from documents.models import Document, DocumentState

BALANCE_SORTS = {"code": Sort("code"), "name": Sort("name")}
BALANCE_SUMS = {
    "opening": "balance__opening",
    "invoiced": "balance__invoiced",
    "returned": "balance__returned",
    "paid": "balance__paid",
    "current": "balance__current",
}
OVER_LIMIT = Q(balance__current__gt=F("credit_limit"))


def parties_with_balance(company: Company) -> "models.QuerySet[Party]":
    """A row a party, also one that nothing was posted for yet.

    A party that was taken off the lists stays here for as long as it owes or is owed something.
    """
    uneven = Q(balance__current__gt=0) | Q(balance__current__lt=0)
    rows = Party.all_objects.for_company(company).filter(Q(is_active=True) | uneven)
    return rows.select_related("balance")


def with_last_statement(
    rows: "models.QuerySet[Party]", company: Company
) -> "models.QuerySet[Party]":
    """Adds `statement_id` and `statement_end`: the newest statement that is there to be read."""
    statements = (
        Document.objects.for_company(company)
        .filter(kind=STATEMENT.name, subject_id=OuterRef("pk"), state=DocumentState.READY)
        .order_by("-period_end", "-version")
    )
    return rows.annotate(
        statement_id=Subquery(statements.values("pk")[:1]),
        statement_end=Subquery(statements.values("period_end")[:1]),
    )


def balance_of(party: Party) -> Balance:
    """The party's balance, or one of nothing that is not saved."""
    found: Balance | None = getattr(party, "balance", None)
    return found or Balance(company_id=party.company_id, party=party)
