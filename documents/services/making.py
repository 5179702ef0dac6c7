"""Making one document: render its snapshot, store the file, record it as ready."""

import os
import socket
import time
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from documents.archive import Damaged, archive
from documents.models import Document
from documents.papers import paper_kind
from documents.rendering import Asset, Rendered, RenderError, render_paper
from documents.services.outcomes import announce_document
from worker.running import WorkFailed


def make_document(document: Document) -> None:
    """The work of one lease. No transaction is open while it renders.

    Raises WorkFailed when the facts themselves can't be printed; anything else is tried again.
    """
    started = time.monotonic()
    rendered = _render(document)
    milliseconds = round((time.monotonic() - started) * 1000)
    stored = archive().store(
        rendered.content, folder=f"documents/{document.company_id}", suffix=".pdf"
    )
    with transaction.atomic():
        recorded = document.finish(
            storage_key=stored.key,
            sha256=stored.sha256,
            size=stored.size,
            pages=rendered.pages,
            render_milliseconds=milliseconds,
            made_by=f"{socket.gethostname()}:{os.getpid()}",
        )
        if recorded:
            announce_document(document)


def _render(document: Document) -> Rendered:
    try:
        return render_paper(
            template=paper_kind(document.kind).template,
            snapshot=document.snapshot,
            assets=dict(_assets(document.snapshot)),
        )
    except RenderError as error:
        raise WorkFailed(error.reason, detail=repr(error)) from error
    except Damaged as error:
        raise WorkFailed("A picture that belongs on it is missing.", detail=str(error)) from error


def _assets(snapshot: dict[str, Any]) -> Iterator[tuple[str, Asset]]:
    """The pictures that a snapshot names by their hash, out of the archive."""
    logo = snapshot["company"].get("logo")
    if logo:
        content = archive().read(logo["key"], logo["sha256"])
        yield logo["sha256"], Asset(media_type=logo["media_type"], content=content)
