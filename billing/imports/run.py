"""One import from the file to the books, and what it says at the end.

The whole file is read and checked before anything is posted. Posting goes by chunks of documents,
each one transaction: killed in the middle and run again, it ends in the same state, since what is
in the books already is recognised by its number.
"""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError

from accounts.models import Company
from billing.imports.documents import SalesDocument, document_of, problem_of
from billing.imports.posting import Posted, post_documents
from billing.imports.reading import spool_file
from billing.imports.spool import Spool, SpooledDocument

_CHUNK = 200
_TRIES = 3


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
        _post_all(company, spool, summary, watch)
        _report(spool, summary, report)
    summary.seconds = round(time.monotonic() - started, 2)
    return summary


def _post_all(company: Company, spool: Spool, summary: ImportSummary, watch: Watcher) -> None:
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
        reason = problem_of(spooled)
        if reason:
            refusals |= dict.fromkeys(spooled.lines, reason)
            summary.documents_refused += 1
        else:
            sound[spooled.number] = document_of(spooled)
    posted = _post(company, list(sound.values()))
    for number, reason in posted.refused.items():
        refusals |= dict.fromkeys(sound[number].lines, reason)
    _count(posted, sound, summary)
    return refusals


def _post(company: Company, documents: list[SalesDocument]) -> Posted:
    """The documents in one go, or, where one of them does not fit into the books, one by one."""
    try:
        return _post_with_retries(company, documents)
    except (IntegrityError, DataError, ValidationError):
        posted = Posted()
        for document in documents:
            posted.add(_post_alone(company, document))
        return posted


def _post_alone(company: Company, document: SalesDocument) -> Posted:
    try:
        return _post_with_retries(company, [document])
    except ValidationError as error:
        reason = " ".join(error.messages)
    except (IntegrityError, DataError):
        reason = "its amounts, or its party's balance with them, are beyond what the books hold"
    return Posted(refused={document.number: f"document refused: {reason}"})


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
    summary.documents_refused += len(posted.refused)
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
