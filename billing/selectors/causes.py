"""Why a balance is not what its documents come to, in words: which posting is missing or double.

Only the documents of parties that drift are read, a query for each kind of document. First one
document whose amount is the whole difference is looked for, then two; what fits no pair is said to
be unexplained.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models

from accounts.models import Company
from billing.models import Invoice, InvoiceState, Payment, Return
from billing.money import round_money
from billing.selectors.drift import Account

_AT_ONCE = 500
Key = tuple[UUID, str]


@dataclass(frozen=True)
class Paper:
    """A document that could be behind a difference. `standing`: posted, void or deleted."""

    noun: str
    number: str
    standing: str
    amount: Decimal

    def named(self, currency: str) -> str:
        words = self.noun
        if self.standing != "posted":
            words = f"{self.standing.capitalize()} {_low(self.noun)}"
        return f"{words} {self.number} of {_text(self.amount, currency)}"


@dataclass(frozen=True)
class Story:
    """What happened to one document, and to two."""

    one: str
    two: str


_MISSING = Story("is not in the balance", "are not in the balance")
_TWICE = Story("is counted twice", "are counted twice")
_STILL_IN = Story("is still in the balance", "are still in the balance")
_OUT_TWICE = Story("was taken out twice", "were taken out twice")


def causes_of(company: Company, accounts: Collection[Account]) -> dict[Key, str]:
    """The cause of each drift of `accounts`, by party and column."""
    differences = {
        (account.party_id, column): after - before
        for account in accounts
        if account.has_balance
        for column, before, after in account.drifts()
        if column != "current"
    }
    papers = _papers_of(company, differences)
    found = {
        key: _explain(papers.get(key, []), difference, company.currency)
        for key, difference in differences.items()
    }
    return found | _without_search(accounts)


def _without_search(accounts: Iterable[Account]) -> dict[Key, str]:
    """What needs no look at the documents."""
    found: dict[Key, str] = {}
    for account in accounts:
        for column, _, _ in account.drifts():
            if not account.has_balance:
                found[account.party_id, column] = (
                    "The party has documents and no balance: nothing was added up."
                )
            elif column == "current":
                found[account.party_id, column] = (
                    "It is not opening + invoiced - returned - paid of its own row."
                )
    return found


def _papers_of(company: Company, wanted: Iterable[Key]) -> dict[Key, list[Paper]]:
    parties: defaultdict[str, list[UUID]] = defaultdict(list)
    for party_id, column in wanted:
        parties[column].append(party_id)
    found: defaultdict[Key, list[Paper]] = defaultdict(list)
    for column, party_ids in parties.items():
        rows, noun, names = _source(company, column)
        for start in range(0, len(party_ids), _AT_ONCE):
            some = rows.filter(party_id__in=party_ids[start : start + _AT_ONCE]).order_by(names[0])
            for party_id, number, amount, standing in some.values_list(
                "party_id", *names, "standing"
            ):
                found[party_id, column].append(Paper(noun, number, standing, amount))
    return found


def _source(company: Company, column: str) -> "tuple[models.QuerySet[Any], str, tuple[str, str]]":
    """The rows behind a column, what one is called, and its columns of number and amount."""
    if column == "invoiced":
        invoices = Invoice.all_objects.for_company(company).exclude(state=InvoiceState.DRAFT)
        rows = _standing(invoices, models.Q(state=InvoiceState.VOID))
        return rows, "Invoice", ("invoice_number", "total")
    if column == "returned":
        returns = _standing(Return.all_objects.for_company(company), None)
        return returns, "Return", ("return_number", "total")
    payments = Payment.all_objects.for_company(company)
    rows = _standing(payments, models.Q(voided_at__isnull=False))
    return rows, "Payment", ("payment_number", "amount")


def _standing(rows: "models.QuerySet[Any]", is_void: models.Q | None) -> "models.QuerySet[Any]":
    cases = [models.When(is_active=False, then=models.Value("deleted"))]
    if is_void is not None:
        cases.append(models.When(is_void, then=models.Value("void")))
    found: models.QuerySet[Any] = rows.annotate(
        standing=models.Case(*cases, default=models.Value("posted"))
    )
    return found


def _explain(papers: list[Paper], difference: Decimal, currency: str) -> str:
    """`difference`: what the documents come to, less what the balance says."""
    wanted = abs(difference)
    stories = _stories(papers, difference)
    for candidates, story in stories:
        alone = [paper for paper in candidates if paper.amount == wanted]
        if alone:
            return _one(alone, story, currency)
    unexplained = f"No single document explains the difference of {_text(wanted, currency)}."
    for candidates, story in stories:
        pairs = _pairs(candidates, wanted)
        if pairs:
            return _two(pairs, story, currency, unexplained)
    return unexplained


def _stories(papers: list[Paper], difference: Decimal) -> list[tuple[list[Paper], Story]]:
    """What may have happened, the likelier first, and to which documents."""
    posted = [paper for paper in papers if paper.standing == "posted"]
    gone = [paper for paper in papers if paper.standing != "posted"]
    if difference < 0:
        return [(gone, _STILL_IN), (posted, _TWICE)]
    return [(posted, _MISSING), (gone, _OUT_TWICE)]


def _one(alone: list[Paper], story: Story, currency: str) -> str:
    others = len(alone) - 1
    said = f"{alone[0].named(currency)} {story.one}"
    if others:
        said += f", or {'another' if others == 1 else f'one of {others} others'} of that amount"
    return f"{said}."


def _two(pairs: list[tuple[Paper, Paper]], story: Story, currency: str, unexplained: str) -> str:
    """One pair that fits is told as the cause; of several it would be a guess."""
    first, second = (paper.named(currency) for paper in pairs[0])
    if len(pairs) == 1:
        return f"{first} and {_low(second)} {story.two}."
    return f"{unexplained} Several pairs would, such as {_low(first)} and {_low(second)}."


def _pairs(papers: list[Paper], wanted: Decimal) -> list[tuple[Paper, Paper]]:
    """At most two pairs of papers that come to `wanted`: more than one is one too many."""
    seen: defaultdict[Decimal, list[Paper]] = defaultdict(list)
    found: list[tuple[Paper, Paper]] = []
    for paper in papers:
        found += [(earlier, paper) for earlier in seen[wanted - paper.amount]]
        if len(found) > 1:
            break
        seen[paper.amount].append(paper)
    return found


def _text(amount: Decimal, currency: str) -> str:
    return f"{round_money(amount, currency):,}"


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]
