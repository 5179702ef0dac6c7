"""What is looked at in the books after a backup was restored; nothing of it is repaired."""

from collections.abc import Iterator
from uuid import UUID

from accounts.models import Company
from billing.models import Party
from billing.money import as_text
from billing.selectors.drift import drifting_between
from billing.selectors.numbering import counters_behind
from documents.backups.checking import register_check

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)


def register() -> None:
    """Called once, when the app loads."""
    register_check("counters", counters)
    register_check("balances", balances)


def counters() -> Iterator[str]:
    for company in Company.objects.order_by("slug"):
        yield from counters_behind(company)


def balances() -> Iterator[str]:
    """Each against the documents that it is the sum of."""
    for company in Company.objects.order_by("slug"):
        drifting = drifting_between(company, _FIRST, _LAST)
        parties = Party.all_objects.for_company(company).in_bulk(
            [account.party_id for account in drifting]
        )
        for account in drifting:
            code = parties[account.party_id].code
            for column, before, after in account.drifts():
                kept, counted = (as_text(each, company.currency) for each in (before, after))
                yield f"{company.slug} {code}: {column} is {kept}, its documents come to {counted}."
