"""Making one document: render its snapshot, store the file, record it as ready."""

import errno
import logging
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.template import TemplateDoesNotExist
from django.utils import timezone

from documents.archive import Damaged, Stored, archive
from documents.models import Document, DocumentState
from documents.papers import PaperKind, paper_kind
from documents.rendering import Asset, Rendered, RenderError, render_paper
from documents.services.outcomes import announce_made, as_announced
from documents.services.template_versions import is_printed_here
from worker.running import TryAgain, WorkFailed

logger = logging.getLogger("pressroom.worker")

_NOT_STORED = {
    errno.ENOSPC: "The archive's disk is full",
    errno.EDQUOT: "The archive has used up its share of the disk",
    errno.EROFS: "The archive can only be read, not written to",
    errno.EACCES: "The archive can't be written to: the folder does not belong to this program",
}


def make_document(document: Document) -> None:
    """The work of one lease. No transaction is open while it renders.

    A row of a newer template version than this process's is given back. Raises WorkFailed when the
    facts themselves can't be printed; anything else is tried again.
    """
    kind = _kind_of(document)
    if not is_printed_here(document, kind):
        return
    started = time.monotonic()
    rendered = _render(document, kind)
    milliseconds = round((time.monotonic() - started) * 1000)
    stored = _stored(document, rendered)
    made = {
        "storage_key": stored.key,
        "sha256": stored.sha256,
        "size": stored.size,
        "pages": rendered.pages,
        "render_milliseconds": milliseconds,
        "made_by": f"{socket.gethostname()}:{os.getpid()}",
    }
    with transaction.atomic():
        if document.finish(**made, **as_announced()):
            announce_made(_as_made(document, made))


def _as_made(document: Document, made: dict[str, Any]) -> Document:
    """The row as it was recorded, without reading it again; the time is this machine's."""
    for name, value in made.items():
        setattr(document, name, value)
    document.state = DocumentState.READY
    document.finished_at = timezone.now()
    document.occurrence += 1
    return document


def _stored(document: Document, rendered: Rendered) -> Stored:
    """Raises TryAgain when the archive can't be written to: that is for operators to mend."""
    try:
        return archive().store(
            rendered.content, folder=f"documents/{document.company_id}", suffix=".pdf"
        )
    except OSError as error:
        logger.error("The archive can't be written to: %s", error)
        why = _NOT_STORED.get(error.errno or 0, "The archive can't be written to")
        raise TryAgain(f"{why}. The operators' log says so, too.", detail=str(error)) from error


def _render(document: Document, kind: PaperKind) -> Rendered:
    try:
        return render_paper(
            template=kind.template,
            snapshot=document.snapshot,
            assets=dict(_assets(document.snapshot)),
            fingerprint=document.fingerprint,
            labels=kind.labels,
        )
    except RenderError as error:
        raise WorkFailed(error.reason, detail=repr(error)) from error
    except TemplateDoesNotExist as error:
        raise WorkFailed(
            "The template that this kind of paper is printed from is missing.", detail=str(error)
        ) from error
    except Damaged as error:
        raise WorkFailed("A picture that belongs on it is missing.", detail=str(error)) from error


def _kind_of(document: Document) -> PaperKind:
    try:
        return paper_kind(document.kind)
    except KeyError as error:
        raise WorkFailed(
            "This installation does not know this kind of paper.",
            detail=f"No paper kind {document.kind!r} is registered.",
        ) from error


def _assets(snapshot: dict[str, Any]) -> Iterator[tuple[str, Asset]]:
    """The pictures that a snapshot names by their hash, out of the archive."""
    logo = snapshot["company"].get("logo")
    if logo:
        content = archive().read(logo["key"], logo["sha256"])
        yield logo["sha256"], Asset(media_type=logo["media_type"], content=content)
