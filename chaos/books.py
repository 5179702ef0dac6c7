"""The books are read: what was asked for, what was made of it, and whether it agrees."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.test.utils import override_settings

from accounts.models import Company
from billing.keeping import balances, counters
from billing.models import Balance, Invoice, Payment, Recomputation, Return
from billing.models.invoices import POSTED_STATES
from billing.selectors.numbering import audit_numbers
from chaos.load import Journal
from documents.archive import DRAFT
from documents.integrity import damage_of
from documents.models import (
    ArchiveSweep,
    Batch,
    BatchItem,
    Delivery,
    DeliveryState,
    Document,
    DocumentState,
    ScheduledRun,
)
from documents.services.sweeping import start_sweep, sweep_piece
from worker.leasing import WorkState, leased_models
from worker.running import work_on

_MOST_NAMED = 5
Damage = Iterator[str]


@dataclass
class Line:
    """One promise: what was looked at, and where it was not kept."""

    promise: str
    looked_at: str
    damage: list[str]


@dataclass(frozen=True)
class Reader:
    company: Company
    journal: Journal
    spool: Path  # of the mail server
    poisoned: list[UUID]

    def read(self) -> list[Line]:
        return [
            _line("asked for = ready + failed with a reason", self._outcomes, self._count_papers()),
            _line("what was acknowledged is there", self._acknowledged, self._count_journal()),
            _line("no paper twice", self._papers_twice, f"{self._ready().count()} papers"),
            _line("no number twice, no gap", self._numbers, f"{self._posted().count()} invoices"),
            _line("no e-mail twice, none unaccounted for", self._mails, self._count_mails()),
            _line("every file's hash is right", self._files, f"{self._ready().count()} files"),
            _line("no orphan after the grace period", self._orphans, "the archive's folders"),
            _line("balances = a recomputation from scratch", self._balances, self._count_sums()),
            _line("closings chain, openings + lines = closings", self._chain, self._count_chain()),
            _line("a schedule runs once a month", self._schedules, _runs()),
            _line(
                "every run is closed and adds up",
                self._batches,
                f"{self._batch_rows().count()} runs",
            ),
        ]

    # --- What was asked for ----------------------------------------------------------------------
    def _papers(self) -> Any:
        return Document.objects.for_company(self.company)

    def _ready(self) -> Any:
        return self._papers().filter(state=DocumentState.READY)

    def _posted(self) -> Any:
        return Invoice.all_objects.for_company(self.company).exclude(invoice_number="")

    def _batch_rows(self) -> Any:
        return Batch.objects.for_company(self.company)

    def _count_papers(self) -> str:
        found = self._papers().order_by().values_list("state").annotate(Count("pk"))
        return ", ".join(f"{count} {state}" for state, count in sorted(found))

    def _outcomes(self) -> Damage:
        for model in leased_models():
            for row in model._base_manager.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING)):
                yield f"{model._meta.model_name} {row.pk} is {row.state} for ever: {row.failure}"
        for row in self._papers().filter(state=DocumentState.FAILED, failure=""):
            yield f"paper {row.pk} failed without a reason"
        for row in self._papers().filter(pk__in=self.poisoned).exclude(state=DocumentState.FAILED):
            yield f"the poisoned paper {row.pk} is {row.state}"
        for row in self._papers().filter(state=DocumentState.CANCELLED):
            yield f"paper {row.pk} is cancelled, and nobody did that"

    def _count_journal(self) -> str:
        made = self.journal
        return (
            f"{len(made.documents)} papers, {len(made.numbers)} invoices,"
            f" {len(made.batches)} runs, {len(made.payments)} payments"
        )

    def _acknowledged(self) -> Damage:
        for name, model, keys in (
            ("paper", Document, self.journal.documents),
            ("run", Batch, self.journal.batches),
            ("payment", Payment, self.journal.payments),
            ("recomputation", Recomputation, self.journal.recomputations),
        ):
            there = set(model._base_manager.filter(pk__in=keys).values_list("pk", flat=True))
            yield from (f"{name} {key} is gone" for key in set(keys) - there)
        kept = dict(self._posted().values_list("pk", "invoice_number"))
        for key, number in self.journal.numbers.items():
            if kept.get(key) != number:
                yield f"invoice {key} was told {number}, and has {kept.get(key)}"
        yield from self.journal.refusals

    def _papers_twice(self) -> Damage:
        """One row a paper, one file a row, and made by who held the lease."""
        kinds = ("kind", "subject_id", "period_start", "period_end", "version")
        twice = self._papers().order_by().values(*kinds).annotate(rows=Count("pk"))
        for row in twice.filter(rows__gt=1):
            yield f"{row['rows']} papers of {row['kind']} {row['subject_id']}"
        keys = self._ready().order_by().values("storage_key").annotate(rows=Count("pk"))
        for row in keys.filter(rows__gt=1):
            yield f"{row['rows']} papers share {row['storage_key']}"
        for row in self._ready().exclude(made_by=F("claimed_by")):
            yield f"paper {row.pk} was recorded by {row.made_by}, and leased to {row.claimed_by}"
        for row in self._papers().filter(occurrence__gt=1):
            yield f"paper {row.pk} was announced {row.occurrence} times"

    def _numbers(self) -> Damage:
        report = audit_numbers(self.company)
        yield from (f"{number} is on several invoices" for number in report.duplicates)
        for series in report.series:
            yield from (f"{number} is missing" for number in series.gaps)
        yield from counters()

    # --- E-mails ---------------------------------------------------------------------------------
    def _mail_rows(self) -> Any:
        return Delivery.objects.for_company(self.company)

    def _count_mails(self) -> str:
        found = self._mail_rows().order_by().values_list("state").annotate(Count("pk"))
        return ", ".join(f"{count} {state}" for state, count in sorted(found))

    def _mails(self) -> Damage:
        """What the mail server has, against what the rows say it has."""
        arrived = Counter(_message_ids(self.spool))
        for message, times in arrived.items():
            if times > 1:
                yield f"{message} was sent {times} times"
        for row in self._mail_rows():
            came = arrived.pop(f"<{row.message_id}>", 0)
            if row.state == DeliveryState.SENT and not came:
                yield f"e-mail {row.pk} is said to be sent, and is not there"
            if row.state in (DeliveryState.FAILED, DeliveryState.CANCELLED) and came:
                yield f"e-mail {row.pk} is said to be {row.state}, and is there"
            if row.state == DeliveryState.FAILED and not row.failure:
                yield f"e-mail {row.pk} failed without a reason"
        for message in arrived:
            if "notification" not in message and "test.invalid" not in message:
                yield f"{message} is there, and nobody asked for it"

    # --- Files -----------------------------------------------------------------------------------
    def _files(self) -> Damage:
        for row in self._ready():
            damage = damage_of(row)
            if damage:
                yield f"the file of paper {row.pk} is {damage}"

    def _orphans(self) -> Damage:
        """The product's own sweep, with a grace period of nothing; then the folders are listed."""
        with override_settings(ORPHAN_GRACE=timedelta(seconds=-5)):
            sweep = start_sweep()
            while sweep.state in (WorkState.QUEUED, WorkState.RUNNING):
                work_on(ArchiveSweep, sweep.pk, sweep_piece)
                sweep.refresh_from_db()
        if sweep.state != WorkState.DONE:
            yield f"the sweep {sweep.state}: {sweep.failure}"
        named = set(Document._base_manager.values_list("storage_key", flat=True))
        root = Path(settings.ARCHIVE_DIR)
        for path in sorted((root / "documents").rglob("*")):
            if path.is_file() and str(path.relative_to(root)) not in named:
                kind = "a draft" if path.name.startswith(DRAFT) else "a file"
                yield f"{kind} of nobody: {path.relative_to(root)}"

    # --- Balances and statements -----------------------------------------------------------------
    def _count_sums(self) -> str:
        return f"{Balance.objects.for_company(self.company).count()} balances"

    def _balances(self) -> Damage:
        """By the product's own comparison, and by sums that share no code with it."""
        yield from balances()
        sums = self._sums()
        for row in Balance.objects.for_company(self.company):
            counted = row.opening + sums[row.party_id]
            if row.current != counted:
                yield f"party {row.party_id}: {row.current} is kept, {counted} is counted"
        for run in Recomputation.objects.for_company(self.company).filter(
            Q(drifting__gt=0) | ~Q(state__in=("done", "cancelled"))
        ):
            yield f"{run} is {run.state} and found {run.drifting} drifts"

    def _sums(self) -> dict[UUID, Decimal]:
        sums: defaultdict[UUID, Decimal] = defaultdict(Decimal)
        posted = Invoice.objects.for_company(self.company).filter(state__in=POSTED_STATES)
        paid = Payment.objects.for_company(self.company).filter(voided_at=None)
        for rows, sign, column in (
            (posted, 1, "total"),
            (Return.objects.for_company(self.company), -1, "total"),
            (paid, -1, "amount"),
        ):
            found = rows.order_by().values_list("party").annotate(Sum(column))
            for party, amount in found:
                sums[party] += sign * amount
        return sums

    def _statements(self) -> Any:
        return self._ready().filter(kind="statement").defer(None)

    def _count_chain(self) -> str:
        return f"{self._statements().count()} statements"

    def _chain(self) -> Damage:
        by_party: defaultdict[UUID, list[Document]] = defaultdict(list)
        for row in self._statements().order_by("period_start", "version"):
            by_party[row.subject_id].append(row)
        for rows in by_party.values():
            yield from _broken_links(rows)

    # --- Runs ------------------------------------------------------------------------------------
    def _schedules(self) -> Damage:
        runs = ScheduledRun.objects.values("schedule", "month").annotate(rows=Count("pk"))
        yield from (f"{row['rows']} runs for {row['month']}" for row in runs.filter(rows__gt=1))
        if not ScheduledRun.objects.exists():
            yield "the schedule did not run"
        scheduled = ScheduledRun.objects.values_list("batch", flat=True)
        known = {*self.journal.batches, *scheduled}
        for row in self._batch_rows().exclude(pk__in=known):
            yield f"run {row.pk} is there, and nobody asked for it"

    def _batches(self) -> Damage:
        for batch in self._batch_rows():
            if batch.state != "done":
                yield f"run {batch.pk} is {batch.state}"
            items = BatchItem.objects.filter(batch=batch)
            open_items = items.filter(
                Q(document__isnull=True, skipped_reason="")
                | Q(document__state__in=(WorkState.QUEUED, WorkState.RUNNING))
            )
            if open_items.exists():
                yield f"run {batch.pk} has {open_items.count()} rows without an outcome"


def _line(promise: str, look: Callable[[], Iterable[str]], looked_at: str) -> Line:
    return Line(promise, looked_at, list(look()))


def _runs() -> str:
    return f"{ScheduledRun.objects.count()} scheduled runs"


def _message_ids(spool: Path) -> Iterator[str]:
    for path in spool.glob("*.eml"):
        for line in path.read_bytes().split(b"\r\n\r\n")[0].decode(errors="replace").splitlines():
            if line.lower().startswith("message-id:"):
                yield line.partition(":")[2].strip()


def _broken_links(rows: list[Document]) -> Damage:
    """Of one party, in the order of their periods."""
    before: Document | None = None
    for row in rows:
        facts = row.snapshot
        moved = sum(Decimal(line[4] or 0) - Decimal(line[5] or 0) for line in facts["lines"])
        if Decimal(facts["opening"]) + moved != Decimal(facts["closing"]):
            yield f"{row.title}: opening and lines don't come to the closing"
        if before and not _follows(before, row):
            yield f"{row.title} begins with another sum than the one before ended with"
        before = row


def _follows(before: Document, row: Document) -> bool:
    """Only of two periods that follow each other one sum is the other's."""
    if before.period_end is None or before.period_end + timedelta(days=1) != row.period_start:
        return True
    return Decimal(before.snapshot["closing"]) == Decimal(row.snapshot["opening"])
