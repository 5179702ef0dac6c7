"""Asking for paper: the same facts asked for twice, or by two at once, are one row."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, models, transaction
from django.db.models.functions import Now

from accounts.models import Company, User
from documents.consistency import short_wait, was_kept_waiting
from documents.fingerprints import fingerprint
from documents.models import Document, DocumentRequest, DocumentState
from documents.papers import Paper
from documents.selectors import standing_instead
from worker.nudging import nudge_on_commit

_AT_ONCE = "interactive"
# How long a person's request waits for a plan that has inserted the paper and is not committed.
_PATIENCE_SECONDS = 10
_BEING_PLANNED = "A run with this paper is just being planned: try again in a minute."
# Each round numbers at least one of those that lost their number to somebody else's request.
_ROUNDS = 50
# What is queued again starts as if it had never been tried.
QUEUED_AGAIN = {
    "state": DocumentState.QUEUED,
    "attempts": 0,
    "held": False,
    "next_attempt_at": Now(),
    "published_at": None,
    "started_at": None,
    "finished_at": None,
    "failure": "",
    "failure_detail": "",
    "announced_at": None,
    "cleared_at": None,
}


def request_document(
    *, company: Company, paper: Paper, by: User | None, queue: str = _AT_ONCE
) -> Document:
    """The document for `paper`: found, or queued and on its way once this is committed.

    It says what it is when the wish is noted. One that is ready, failed or cancelled by then is
    the caller's to act on: nobody is told of it later. Raises ValidationError where a run that is
    just being planned, and goes on for long, holds the paper.
    """
    try:
        return _requested(company, paper, by, queue)
    except OperationalError as error:
        if not was_kept_waiting(error):
            raise
        raise ValidationError(_BEING_PLANNED) from error


def _requested(company: Company, paper: Paper, by: User | None, queue: str) -> Document:
    with short_wait(_PATIENCE_SECONDS):
        [found] = insert_documents(company=company, papers=[paper], by=by, queue=queue)
        document = _locked(found)
        if by is not None:
            _note_wish(document, by)
        _overtake(document, queue)
        if document.state == DocumentState.QUEUED:
            nudge_on_commit(document)
    return document


def _locked(document: Document) -> Document:
    """The row as it is now, and stays until this is committed. Who cancels or ends it has done so
    before, which is seen here; or does it after, and sees the wish.
    """
    mine = Document.objects.for_company(document.company_id).filter(pk=document.pk)
    [locked] = mine.select_for_update(no_key=True)
    return locked


def _note_wish(document: Document, by: User) -> None:
    DocumentRequest.objects.bulk_create(
        [DocumentRequest(company_id=document.company_id, document=document, user=by)],
        ignore_conflicts=True,
    )


def _overtake(document: Document, queue: str) -> None:
    """What waits in a run, and is now asked for by itself, need not wait for the run."""
    if queue != _AT_ONCE or document.queue == queue or document.state != DocumentState.QUEUED:
        return
    waiting = Document.objects.for_company(document.company_id).filter(
        pk=document.pk, state=DocumentState.QUEUED
    )
    if waiting.update(queue=queue, turn=0, held=False, published_at=None) == 1:
        document.queue, document.turn, document.held = queue, 0, False


def queue_again(document: Document, *, at_once: bool = False) -> bool:
    """Queue a document that failed or was cancelled, with all its attempts. False: it had moved.

    `at_once`: somebody waits for it now, so it waits for no run, whichever it was in.
    """
    stopped = Document.objects.for_company(document.company_id).filter(
        pk=document.pk, state__in=(DocumentState.FAILED, DocumentState.CANCELLED)
    )
    place: dict[str, object] = {"queue": _AT_ONCE, "turn": 0} if at_once else {}
    with transaction.atomic():
        queued = stopped.update(**QUEUED_AGAIN, **place)
        if queued == 1:
            document.state = DocumentState.QUEUED
            document.queue = str(place.get("queue", document.queue))
            nudge_on_commit(document)
    return queued == 1


def insert_documents(
    *,
    company: Company,
    papers: Sequence[Paper],
    by: User | None,
    queue: str,
    first_turn: int = 0,
) -> list[Document]:
    """The documents for `papers`, in their order, with the missing ones inserted in bulk.

    Must be called in a transaction. Nothing is published: the dispatcher does that, or the caller.
    """
    prints = [fingerprint(paper) for paper in papers]
    known = _by_fingerprint(company, prints)
    _make_current(company, known.values())
    wanted = {key: (first_turn + place, papers[place]) for place, key in enumerate(prints)}
    for _ in range(_ROUNDS):
        missing = {key: wanted[key] for key in wanted if key not in known}
        if missing:
            _insert_missing(company, missing, by, queue)
            known |= _by_fingerprint(company, list(missing))
        if len(known) == len(wanted):
            return [known[key] for key in prints]
    raise IntegrityError("The versions of these papers could not be numbered.")


def _insert_missing(
    company: Company, missing: dict[str, tuple[int, Paper]], by: User | None, queue: str
) -> None:
    """Insert what nobody else inserts at the same time: the same paper, or the same version."""
    earlier = _latest_versions(company, [paper for _, paper in missing.values()])
    Document.objects.bulk_create(
        [
            _new(company, paper, key, by, queue, turn, earlier.get(_series(paper)))
            for key, (turn, paper) in missing.items()
        ],
        ignore_conflicts=True,
        batch_size=500,
    )


def _make_current(company: Company, found: Iterable[Document]) -> None:
    """Facts that went back to what they were: the paper that says so stands again."""
    ids = [document.pk for document in found]
    if ids:
        rows = Document.objects.for_company(company).filter(pk__in=ids)
        rows.filter(models.Exists(standing_instead())).update(current_since=Now())


def _by_fingerprint(company: Company, prints: Sequence[str]) -> dict[str, Document]:
    found = Document.objects.for_company(company).filter(fingerprint__in=prints)
    return {document.fingerprint: document for document in found}


Series = tuple[object, ...]


def _series(paper: Paper | Document) -> Series:
    """What the versions of one paper have in common."""
    kind = paper.kind if isinstance(paper.kind, str) else paper.kind.name
    return (kind, paper.subject_id, paper.period_start, paper.period_end)


def _latest_versions(company: Company, papers: Iterable[Paper]) -> dict[Series, Document]:
    subjects = {paper.subject_id for paper in papers}
    kinds = {paper.kind.name for paper in papers}
    starts = {paper.period_start for paper in papers}
    earlier = (
        Document.objects.for_company(company)
        .filter(_is_one_of("period_start", starts), kind__in=kinds, subject_id__in=subjects)
        .only("id", "kind", "subject_id", "period_start", "period_end", "version")
        .order_by("version")
    )
    return {_series(document): document for document in earlier}


def _is_one_of(column: str, days: set[date | None]) -> models.Q:
    known = models.Q(**{f"{column}__in": [day for day in days if day]})
    return known | models.Q(**{column: None}) if None in days else known


def _new(
    company: Company,
    paper: Paper,
    key: str,
    by: User | None,
    queue: str,
    turn: int,
    earlier: Document | None,
) -> Document:
    return Document(
        company=company,
        kind=paper.kind.name,
        title=paper.title,
        subject_id=paper.subject_id,
        recipient_id=paper.recipient_id,
        recipient_code=paper.recipient_code,
        recipient_name=paper.recipient_name,
        period_start=paper.period_start,
        period_end=paper.period_end,
        amount=paper.amount,
        currency=paper.currency,
        requested_by=by,
        snapshot=paper.snapshot,
        fingerprint=key,
        template_version=paper.kind.version,
        locale=paper.locale,
        queue=queue,
        turn=turn,
        version=earlier.version + 1 if earlier else 1,
        supersedes=earlier,
    )
