"""A month's statements for every party that has something to read in one."""

from collections.abc import Iterator

from accounts.models import Company, User
from billing.dates import Period
from billing.selectors.statements import Account, Movement, read_accounts, read_movements
from billing.services.statements import statement_paper
from billing.snapshots import company_facts
from documents.models import Batch
from documents.papers import Planned
from documents.services.batches import start_batch


def start_statement_run(*, company: Company, period: Period, by: User | None) -> Batch:
    """A committed run over `period`; the workers plan and render it."""
    return start_batch(
        company=company,
        kind="statement",
        title=f"Statements {period}",
        parameters={},
        by=by,
        period=(period.start, period.end),
    )


def plan_statements(batch: Batch) -> Iterator[Planned]:
    """A row a party, by code: its statement, or why it gets none."""
    company, period = batch.company, _period_of(batch)
    issuer = company_facts(company)
    for account, movements in _accounts(company, period):
        party = account.party
        paper = None
        if not account.left_out:
            paper = statement_paper(
                company=company,
                issuer=issuer,
                account=account,
                movements=movements,
                period=period,
            )
        yield Planned(party.pk, party.code, party.name, paper, account.left_out)


def _period_of(batch: Batch) -> Period:
    if batch.period_start is None or batch.period_end is None:
        raise ValueError(f"Batch {batch.pk} has no period.")
    return Period(batch.period_start, batch.period_end)


def _accounts(company: Company, period: Period) -> Iterator[tuple[Account, list[Movement]]]:
    """Each account with its lines: two reads in the same order, merged as they come."""
    accounts = read_accounts(company, period)
    movements = read_movements(company, period)
    upcoming = next(movements, None)
    for party_id, account in accounts.items():
        if upcoming and upcoming[0] == party_id:
            yield account, upcoming[1]
            upcoming = next(movements, None)
        else:
            yield account, []
    if upcoming:
        raise RuntimeError(f"The lines of party {upcoming[0]} belong to no account.")
