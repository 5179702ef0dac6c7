"""Statements of account as paper."""

from typing import Any

from accounts.models import Company
from billing.dates import Period
from billing.kinds import STATEMENT
from billing.selectors.statements import Account, Movement
from billing.snapshots import statement_snapshot
from documents.papers import Paper


def statement_paper(
    *,
    company: Company,
    issuer: dict[str, Any],
    account: Account,
    movements: list[Movement],
    period: Period,
) -> Paper:
    """The statement of one account; `issuer` as in `billing.snapshots.company_facts`."""
    snapshot = statement_snapshot(
        company=company, issuer=issuer, account=account, movements=movements, period=period
    )
    party = account.party
    return Paper(
        kind=STATEMENT,
        snapshot=snapshot,
        locale=snapshot["locale"],
        title=f"Statement {period} {party.code}"[:200],
        subject_id=party.pk,
        recipient_id=party.pk,
        recipient_code=party.code,
        recipient_name=party.name,
        period_start=period.start,
        period_end=period.end,
        amount=account.closing,
        currency=company.currency,
    )
