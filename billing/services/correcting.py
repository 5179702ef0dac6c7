"""A chunk of a recomputation: what drifts is reported, or put right as well.

A report reads in one transaction that sees one moment. A correction is compared again under the
locks that every posting takes, and never overwrites a balance that moved since.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from django.db import models, transaction

from accounts.models import Company
from billing.audit import Changes, note_each
from billing.models import Balance, BalanceDrift, Recomputation, RecomputationChunk
from billing.money import as_text
from billing.selectors.causes import causes_of
from billing.selectors.drift import (
    Account,
    drifting_between,
    drifting_of,
    empty_balances_between,
)
from billing.services.balances import Movement, lock_balances, restate_balances
from billing.services.retrying import retry_transient
from documents.consistency import consistent_read

# As many balances are locked at once: clerks who post for one of them wait for the others.
_AT_ONCE = 200
_TRIES = 5


def report_chunk(run: Recomputation, chunk: RecomputationChunk) -> None:
    """Record what drifts, and nothing else."""
    company = run.company
    with consistent_read():
        accounts = drifting_between(company, chunk.first, chunk.last)
        unneeded = empty_balances_between(company, chunk.first, chunk.last)
        causes = causes_of(company, accounts)
    rows = _rows(chunk, accounts, causes, applied=False)
    with transaction.atomic():
        # First: where the lease was lost nothing is written, and the successor writes it all.
        if chunk.finish(drifting=len(accounts), unneeded=unneeded):
            BalanceDrift.objects.bulk_create(rows, batch_size=1000)


def correct_chunk(run: Recomputation, chunk: RecomputationChunk) -> None:
    """Put right what drifts, a few hundred parties a transaction: what is done stays done."""
    accounts = _accounts(run, chunk)
    for start in range(0, len(accounts), _AT_ONCE):
        some = accounts[start : start + _AT_ONCE]
        retry_transient(lambda some=some: _correct(run, chunk, some), _TRIES)  # type: ignore[misc]
    found = BalanceDrift.objects.filter(chunk=chunk)
    chunk.finish(
        drifting=found.values("party").distinct().count(),
        corrected=found.filter(is_applied=True).values("party").distinct().count(),
        unneeded=empty_balances_between(run.company, chunk.first, chunk.last),
    )


def _accounts(run: Recomputation, chunk: RecomputationChunk) -> list[Account]:
    if run.corrects_id is None:
        return drifting_between(run.company, chunk.first, chunk.last)
    reported = BalanceDrift.objects.filter(
        recomputation=run.corrects_id, party__gte=chunk.first, party__lte=chunk.last
    )
    return drifting_of(run.company, set(reported.values_list("party_id", flat=True)))


def _correct(run: Recomputation, chunk: RecomputationChunk, found: Sequence[Account]) -> None:
    company = run.company
    with transaction.atomic():
        locked = lock_balances(company=company, party_ids=[each.party_id for each in found])
        balances = {balance.party_id: balance for balance in locked}
        accounts = _compared_again(company, found)
        right = [each for each in accounts if _is_as_compared(balances.get(each.party_id), each)]
        left = [each for each in accounts if each not in right]
        # A row that the lock has just made was missing.
        causes = causes_of(company, accounts) | _of_missing(company, found)
        _record(run, right, balances)
        _write(company, right, balances)
        rows = _rows(chunk, right, causes, applied=True) + _rows(chunk, left, causes, applied=False)
        BalanceDrift.objects.bulk_create(
            rows,
            batch_size=1000,
            # A party that drifted anew before the chunk was done a second time.
            update_conflicts=True,
            unique_fields=["recomputation", "party", "column"],
            update_fields=["after", "cause", "is_applied"],
        )


def _compared_again(company: Company, found: Sequence[Account]) -> list[Account]:
    """Under the locks: what was posted before them is in, and nothing more comes."""
    return drifting_of(company, [account.party_id for account in found])


def _is_as_compared(balance: Balance | None, account: Account) -> bool:
    """Compare and set: only the locked row that was compared may be changed."""
    if balance is None:  # another company's, which no posting could move either
        return False
    return all(getattr(balance, column) == amount for column, amount in account.kept.items())


def _of_missing(company: Company, found: Iterable[Account]) -> dict[tuple[UUID, str], str]:
    return causes_of(company, [account for account in found if not account.has_balance])


def _write(company: Company, accounts: Iterable[Account], balances: Mapping[UUID, Balance]) -> None:
    restate_balances(
        company=company,
        balances=[balances[account.party_id] for account in accounts],
        sums={account.party_id: Movement(**account.counted) for account in accounts},
    )


def _record(
    run: Recomputation, accounts: Iterable[Account], balances: Mapping[UUID, Balance]
) -> None:
    """An entry of the trail a balance: before and after, and because of which run."""
    entries: list[tuple[models.Model, Changes]] = [
        (balances[account.party_id], _changes(run, account)) for account in accounts
    ]
    note_each(entries, run.requested_by)


def _changes(run: Recomputation, account: Account) -> dict[str, tuple[str, str]]:
    after: dict[str, Decimal] = {**account.counted, "current": account.current}
    currency = run.company.currency
    changed = {
        column: (as_text(account.kept[column], currency), as_text(amount, currency))
        for column, amount in after.items()
        if account.kept[column] != amount
    }
    return {**changed, "because_of": ("", str(run))}


def _rows(
    chunk: RecomputationChunk,
    accounts: Iterable[Account],
    causes: Mapping[tuple[UUID, str], str],
    *,
    applied: bool,
) -> list[BalanceDrift]:
    return [
        BalanceDrift(
            recomputation_id=chunk.recomputation_id,
            chunk=chunk,
            party_id=account.party_id,
            column=column,
            before=before,
            after=after,
            is_applied=applied,
            cause=causes[account.party_id, column],
        )
        for account in accounts
        for column, before, after in account.drifts()
    ]
