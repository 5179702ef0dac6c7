"""Runs that make the papers of many records: ticked ones, or all that a filter leaves.

Which records they are is settled when the run is asked for, as a list of ids: what was counted on
the page is what the run has, a row each, however the books move on. The facts are read when it is
planned. A record that can't be printed by then is a row with the reason.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

from accounts.models import Company, User
from billing.models import Challan, Invoice, Payment, Return
from billing.services.papers import APPLIED, Printable, paper_of
from billing.snapshots import company_facts
from billing.snapshots.facts import Facts
from documents.models import Batch
from documents.papers import Planned
from documents.services.batches import key_of, start_batch

MOST_PAPERS = 50_000
_CHUNK = 500
_DELETED = "it was deleted"
_NOT_THERE = "no longer there"


@dataclass(frozen=True)
class Source:
    """The records that runs of one kind print: their rows, with what a paper of them reads."""

    one: str
    many: str
    rows: Callable[[Company], "models.QuerySet[Any]"]
    number: Callable[[Any], str]


SOURCES: dict[str, Source] = {
    "invoice-papers": Source(
        "invoice",
        "invoices",
        lambda company: (
            Invoice.all_objects.for_company(company)
            .select_related("party")
            .prefetch_related("items")
        ),
        lambda invoice: invoice.invoice_number or "draft",
    ),
    "receipt-papers": Source(
        "receipt",
        "receipts",
        lambda company: (
            Payment.all_objects.for_company(company)
            .select_related("party")
            .prefetch_related(APPLIED)
        ),
        lambda payment: payment.payment_number,
    ),
    "return-papers": Source(
        "credit note",
        "credit notes",
        lambda company: (
            Return.all_objects.for_company(company)
            .select_related("party", "invoice")
            .prefetch_related("items", APPLIED)
        ),
        lambda return_document: return_document.return_number,
    ),
    "challan-papers": Source(
        "challan",
        "challans",
        lambda company: (
            Challan.all_objects.for_company(company)
            .select_related("party")
            .prefetch_related("items")
        ),
        lambda challan: challan.challan_number,
    ),
}


def start_paper_run(
    *,
    company: Company,
    kind: str,
    records: Sequence[UUID],
    by: User | None,
    token: UUID | None = None,
) -> Batch:
    """A committed run over `records`, in their order; the workers plan and render it.

    Raises ValidationError for none and for more than MOST_PAPERS. Asked for twice with a form's
    `token` and the same records it is one run.
    """
    ids = [str(pk) for pk in dict.fromkeys(records)]
    if not ids:
        raise ValidationError("There is nothing to make papers of.")
    if len(ids) > MOST_PAPERS:
        raise ValidationError(f"A run makes at most {MOST_PAPERS:,} papers: narrow the filter.")
    source = SOURCES[kind]
    return start_batch(
        company=company,
        kind=kind,
        title=f"{len(ids):,} {source.one if len(ids) == 1 else source.many}".capitalize(),
        parameters={"records": ids},
        by=by,
        key=token and key_of(token, company=company.pk, kind=kind, records=ids),
    )


def plan_papers(batch: Batch) -> Iterator[Planned]:
    """A row a record, in the order that they were asked for: its paper, or why it has none."""
    company, source = batch.company, SOURCES[batch.kind]
    issuer = company_facts(company)
    wanted = [UUID(text) for text in batch.parameters["records"]]
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        found = {row.pk: row for row in source.rows(company).filter(pk__in=chunk)}
        for pk in chunk:
            yield _planned(pk, found.get(pk), source, company, issuer)


def _planned(
    pk: UUID, record: Printable | None, source: Source, company: Company, issuer: Facts
) -> Planned:
    if record is None:
        return Planned(pk, "", "", None, _NOT_THERE)
    code, name = source.number(record), record.party.name
    if not record.is_active:
        return Planned(pk, code, name, None, _DELETED)
    record.company = company  # already here: no query for it
    try:
        paper = paper_of(record, issuer=issuer)
    except ValidationError as error:
        return Planned(pk, code, name, None, " ".join(error.messages)[:200])
    return Planned(pk, code, name, paper)
