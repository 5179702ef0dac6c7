"""One import from the file to the books, and what it says at the end.

The whole file is read and checked before anything is posted. Posting goes by chunks of documents,
each one transaction: killed in the middle and run again, it ends in the same state, since what is
in the books already is recognised by its number.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from django.db import IntegrityError

from accounts.models import Company
from billing.imports.posting import Posted, SalesDocument, post_documents
from billing.imports.reading import spool_file
from billing.imports.spool import Spool, SpooledDocument

_CHUNK = 200
_TRIES = 3
_MOST = Decimal(10) ** 13  # a hundred of these still fit into a balance


@dataclass(frozen=True)
class ImportOptions:
    """`columns` maps fields to the file's headers where they aren't recognised by name."""

    columns: dict[str, str] = field(default_factory=dict)
    returns_prefix: str = ""


class Watcher(Protocol):
    """Is told how far the import is."""

    def __call__(self, step: str, done: int, of: int) -> None: ...


class Reporter(Protocol):
    """Is given each refused line: its number, document, reason, and content as JSON."""

    def __call__(self, line: int, document: str, reason: str, content: str) -> None: ...


@dataclass
class ImportSummary:
    lines_read: int = 0
    lines_taken: int = 0
    lines_refused: int = 0
    lines_there_already: int = 0
    invoices_taken: int = 0
    returns_taken: int = 0
    documents_refused: int = 0
    documents_there_already: int = 0
    parties_created: int = 0
    refused_because: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def import_sales(
    *, company: Company, path: Path, options: ImportOptions, watch: Watcher, report: Reporter
) -> ImportSummary:
    """Post the file's documents. Raises UnreadableFile or ColumnError, then nothing was posted."""
    started = time.monotonic()
    summary = ImportSummary()
    with Spool() as spool:
        summary.lines_read = spool_file(
            path,
            spool,
            columns=options.columns,
            returns_prefix=options.returns_prefix,
            progress=lambda done, of: watch("reading", done, of),
        )
        _post(company, spool, summary, watch)
        _report(spool, summary, report)
    summary.seconds = round(time.monotonic() - started, 2)
    return summary


def _post(company: Company, spool: Spool, summary: ImportSummary, watch: Watcher) -> None:
    done, of = 0, spool.count_documents()
    watch("posting", done, of)
    documents = spool.documents()
    refusals: dict[int, str] = {}
    while chunk := list(islice(documents, _CHUNK)):
        refusals |= _post_chunk(company, chunk, summary)
        done += len(chunk)
        watch("posting", done, of)
    spool.refuse(refusals)


def _post_chunk(
    company: Company, chunk: list[SpooledDocument], summary: ImportSummary
) -> dict[int, str]:
    """Post the chunk's sound documents. Returns why lines of the others are refused."""
    refusals: dict[int, str] = {}
    sound: dict[str, SalesDocument] = {}
    for spooled in chunk:
        reason = _problem(spooled)
        if reason:
            refusals |= dict.fromkeys(spooled.lines, reason)
            summary.documents_refused += 1
        else:
            sound[spooled.number] = _document(spooled)
    posted = _post_with_retries(company, list(sound.values()))
    for number in posted.conflicts:
        reason = f"number in the books with other content: {number}"
        refusals |= dict.fromkeys(sound[number].lines, reason)
    for number in posted.closed:
        reason = f"the books are closed up to {posted.closed_until}: {number}"
        refusals |= dict.fromkeys(sound[number].lines, reason)
    _count(posted, sound, summary)
    return refusals


def _problem(spooled: SpooledDocument) -> str:
    """Why a document can't be taken as a whole, or nothing."""
    if spooled.refused:
        place, reason = next(iter(spooled.refused.items()))
        return f"document refused: line {place}: {reason}"
    if spooled.lacks is not None:
        return f"document refused: line {spooled.lacks} can't be read and may be one of its lines"
    (first_place, first), *others = spooled.lines.items()
    for place, line in others:
        if line.party_code != first.party_code:
            return f"document refused: line {place} has another party than line {first_place}"
        if line.day != first.day:
            return f"document refused: line {place} has another date than line {first_place}"
    if not sum(line.quantity * line.unit_price for line in spooled.lines.values()) < _MOST:
        return f"document refused: its total is {_MOST:,} or more"
    return ""


def _document(spooled: SpooledDocument) -> SalesDocument:
    lines = list(spooled.lines.values())
    first = lines[0]
    return SalesDocument(
        number=spooled.number,
        is_return=first.is_return,
        party_code=first.party_code,
        party_name=_first_given(line.party_name for line in lines),
        country=_first_given(line.country for line in lines),
        day=first.day,
        lines=spooled.lines,
    )


def _first_given(texts: Iterator[str]) -> str:
    return next(filter(None, texts), "")


def _post_with_retries(company: Company, documents: list[SalesDocument]) -> Posted:
    """Another import of the same file at the same time may post a number first: look again."""
    for _ in range(_TRIES - 1):
        try:
            return post_documents(company, documents)
        except IntegrityError:
            continue
    return post_documents(company, documents)


def _count(posted: Posted, sound: dict[str, SalesDocument], summary: ImportSummary) -> None:
    taken = posted.invoices + posted.returns
    summary.invoices_taken += len(posted.invoices)
    summary.returns_taken += len(posted.returns)
    summary.documents_there_already += len(posted.there_already)
    summary.documents_refused += len(posted.conflicts) + len(posted.closed)
    summary.parties_created += posted.parties
    summary.lines_taken += sum(len(sound[number].lines) for number in taken)
    summary.lines_there_already += sum(len(sound[number].lines) for number in posted.there_already)


def _report(spool: Spool, summary: ImportSummary, report: Reporter) -> None:
    reasons: Counter[str] = Counter()
    for place, document, reason, content in spool.refusals():
        report(place, document, reason, content)
        reasons[reason.partition(":")[0]] += 1
    summary.refused_because = dict(reasons.most_common())
    summary.lines_refused = reasons.total()
