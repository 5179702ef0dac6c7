"""A month's statements for every party that has something to read in one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Company, User
from billing.dates import Period
from billing.models import Party
from billing.selectors.dry_run import statements_over
from billing.selectors.statement_runs import (
    NOT_THERE,
    STATEMENT_RUN_NAME,
    Selection,
    Who,
    run_started_lately,
)
from billing.selectors.statements import Account, Movement, read_accounts, read_movements
from billing.services.statements import statement_paper
from billing.snapshots import company_facts
from documents.consistency import consistent_read
from documents.fingerprints import fingerprint
from documents.models import Batch, Document
from documents.papers import Planned
from documents.services.batches import key_of, start_batch


class StartedAlready(ValidationError):
    """Somebody started a run over the same period a moment ago: `batch`."""

    def __init__(self, batch: Batch) -> None:
        by = f" by {batch.requested_by}" if batch.requested_by else ""
        super().__init__(f"A run for this period was started a moment ago{by}.")
        self.batch = batch


def start_statement_run(
    *,
    company: Company,
    period: Period,
    by: User | None,
    send: bool = False,
    parties: Iterable[Party | UUID] | None = None,
    who: Who = Who.MOVED,
    token: UUID | None = None,
    only_first: bool = False,
) -> Batch:
    """A committed run over `period`; the workers plan and render it.

    `parties` narrows it to those; `who` says which of them get a statement. Asked for twice with
    a form's `token` it is one run. With `only_first`, raises StartedAlready where there is another.
    """
    chosen = None if parties is None else _ids_of(company, parties)
    parameters = Selection(who, chosen).parameters
    key = token and key_of(token, company=company.pk, period=period, send=send, **parameters)
    with transaction.atomic():
        _require_first(company, period, key, only_first)
        return start_batch(
            company=company,
            kind=STATEMENT_RUN_NAME,
            title=f"Statements {period}",
            parameters=parameters,
            by=by,
            period=(period.start, period.end),
            send=send,
            key=key,
        )


def _ids_of(company: Company, parties: Iterable[Party | UUID]) -> tuple[UUID, ...]:
    """Raises ValidationError for `parties` if one of them is not of the company."""
    ids = tuple(dict.fromkeys(p.pk if isinstance(p, Party) else p for p in parties))
    if Party.all_objects.for_company(company).filter(pk__in=ids).count() != len(ids):
        raise ValidationError({"parties": "One of these parties is not there."})
    return ids


def _require_first(company: Company, period: Period, key: UUID | None, only_first: bool) -> None:
    if not only_first:
        return
    _hold(company)
    earlier = run_started_lately(company, period)
    if earlier is not None and earlier.pk != key:
        raise StartedAlready(earlier)


def _hold(company: Company) -> None:
    """Of two who start a run at once the second sees the first's. Postings are not held up."""
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)


def plan_statements(batch: Batch) -> Iterator[Planned]:
    """A row a party, by code: its statement, or why it gets none."""
    company, period = batch.company, _period_of(batch)
    selection = Selection.of(batch.parameters)
    issuer = company_facts(company)
    missing = set(selection.parties or ())
    for account, movements in _accounts(company, period, selection.parties):
        party = account.party
        missing.discard(party.pk)
        paper = None
        reason = selection.left_out(account)
        if not reason:
            paper = statement_paper(
                company=company,
                issuer=issuer,
                account=account,
                movements=movements,
                period=period,
            )
        yield Planned(party.pk, party.code, party.name, paper, reason)
    for party_id in sorted(missing):
        yield Planned(party_id, "", "", None, NOT_THERE)


@dataclass(frozen=True)
class Earlier:
    """A statement that is there already. `is_same`: a run now would use it as it is."""

    document: Document
    is_same: bool


def earlier_statements(
    *, company: Company, period: Period, parties: Collection[UUID]
) -> dict[UUID, Earlier]:
    """By party, where there is one over the period: the one of today's facts, or the newest."""
    versions: defaultdict[UUID, list[Document]] = defaultdict(list)
    for document in statements_over(company, period).filter(subject_id__in=parties):
        versions[document.subject_id].append(document)
    if not versions:
        return {}
    issuer = company_facts(company, keep=False)
    found = {}
    with consistent_read():
        for account, movements in _accounts(company, period, tuple(versions)):
            paper = statement_paper(
                company=company,
                issuer=issuer,
                account=account,
                movements=movements,
                period=period,
            )
            found[account.party.pk] = _earlier(versions[account.party.pk], fingerprint(paper))
    return found


def _earlier(versions: list[Document], print_now: str) -> Earlier:
    same = next((it for it in versions if it.fingerprint == print_now), None)
    if same is not None:
        return Earlier(same, is_same=True)
    return Earlier(max(versions, key=lambda it: it.version), is_same=False)


def _period_of(batch: Batch) -> Period:
    if batch.period_start is None or batch.period_end is None:
        raise ValueError(f"Batch {batch.pk} has no period.")
    return Period(batch.period_start, batch.period_end)


def _accounts(
    company: Company, period: Period, chosen: tuple[UUID, ...] | None = None
) -> Iterator[tuple[Account, list[Movement]]]:
    """Each account with its lines: two reads in the same order, merged as they come."""
    accounts = read_accounts(company, period, chosen)
    movements = read_movements(company, period, chosen)
    upcoming = next(movements, None)
    for party_id, account in accounts.items():
        if upcoming and upcoming[0] == party_id:
            yield account, upcoming[1]
            upcoming = next(movements, None)
        else:
            yield account, []
    if upcoming:
        raise RuntimeError(f"The lines of party {upcoming[0]} belong to no account.")
