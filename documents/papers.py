"""The kinds of paper and of runs. Apps above register their own when they load."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Company, Role
from documents.models import Batch, Schedule

Snapshot = dict[str, Any]


@dataclass(frozen=True)
class PaperKind:
    """`version` goes up with each change of the template or of what its snapshot means.

    `labels` are the words for places in the snapshot, such as "party.tax_id" and, of the cells of
    a list's rows, "lines.6", where the name of the place would not do.

    `reads_since` is the oldest version whose snapshots the present template prints rightly: papers
    that were asked for under it, and are not made when an upgrade comes, are made with the present
    one. None: its own only, and the others fail.
    """

    name: str
    label: str
    template: str
    version: int
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    reads_since: int | None = None

    @property
    def oldest_read(self) -> int:
        return self.version if self.reads_since is None else self.reads_since


@dataclass(frozen=True)
class Paper:
    """What is asked for: the facts to print, and what lists show of them."""

    kind: PaperKind
    snapshot: Snapshot
    locale: str
    title: str
    subject_id: UUID
    recipient_id: UUID
    recipient_code: str
    recipient_name: str
    period_start: date | None = None
    period_end: date | None = None
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Planned:
    """One row of a run: a paper, or the reason why there is none."""

    subject_id: UUID
    code: str
    name: str
    paper: Paper | None = None
    skipped_reason: str = ""


Planner = Callable[[Batch], Iterator[Planned]]
# Starts the run that a schedule is due for; the day is the first of the month it is due in.
Starter = Callable[[Schedule, date], Batch]
# The covering list of a run that is planned: one paper about all of its rows.
CoverMaker = Callable[[Batch], Paper]
# The e-mail addresses of recipients, by id; who has none is left out.
AddressBook = Callable[[Company, Collection[UUID]], Mapping[UUID, str]]


@dataclass(frozen=True)
class RunKind:
    """`plan` yields every row of a batch, all from one consistent read; it writes nothing."""

    name: str
    label: str
    plan: Planner
    start_scheduled: Starter | None = None
    cover: CoverMaker | None = None
    # The page that starts one, and the least role that may open it; without, it has none.
    start_url_name: str = ""
    start_role: Role = Role.CLERK


def _nobody(company: Company, recipients: Collection[UUID]) -> Mapping[UUID, str]:
    return {}


@dataclass
class _Registry:
    papers: dict[str, PaperKind] = field(default_factory=dict)
    runs: dict[str, RunKind] = field(default_factory=dict)
    address_book: AddressBook = _nobody


_registry = _Registry()


def register_paper(kind: PaperKind) -> None:
    _registry.papers[kind.name] = kind


def register_run(kind: RunKind) -> None:
    _registry.runs[kind.name] = kind


def register_address_book(book: AddressBook) -> None:
    _registry.address_book = book


def addresses_of(company: Company, recipients: Collection[UUID]) -> Mapping[UUID, str]:
    return _registry.address_book(company, recipients)


def paper_kind(name: str) -> PaperKind:
    return _registry.papers[name]


def run_kind(name: str) -> RunKind:
    return _registry.runs[name]


def paper_kinds() -> list[PaperKind]:
    return list(_registry.papers.values())


def run_kinds() -> list[RunKind]:
    return list(_registry.runs.values())
