"""Runs with papers in any state, inserted in bulk."""

import hashlib
from typing import Any

from documents.archive import archive
from documents.models import Batch, BatchItem, Document, DocumentState
from tests.factories import PDF, BatchFactory, BatchItemFactory, many_documents


def run_with(count: int, state: str = DocumentState.QUEUED, **options: Any) -> Batch:
    """A running run of so many papers, all in `state`."""
    batch = options.pop("batch", None) or BatchFactory.create(**options)
    add_papers(batch, count, state)
    return batch


def add_papers(batch: Batch, count: int, state: str = DocumentState.QUEUED) -> list[Document]:
    facts = {"failure": "For a test."} if state == DocumentState.FAILED else {}
    if state == DocumentState.READY:
        facts = _file(batch)
    documents = Document._base_manager.bulk_create(
        many_documents(count, company=batch.company, state=state, queue="batch", **facts),
        batch_size=1000,
    )
    first = batch.items.count()
    BatchItem.objects.bulk_create(
        (
            BatchItem(
                batch=batch,
                company=batch.company,
                document=document,
                position=first + place,
                subject_id=document.subject_id,
                code=document.recipient_code,
                name=document.recipient_name,
            )
            for place, document in enumerate(documents)
        ),
        batch_size=1000,
    )
    return documents


def share(batch: Batch, documents: list[Document]) -> None:
    """Put papers of another run into this one too."""
    for document in documents:
        BatchItemFactory.create(batch=batch, document=document)


def _file(batch: Batch) -> dict[str, Any]:
    stored = archive().store(PDF, folder=f"documents/{batch.company_id}", suffix=".pdf")
    return {
        "storage_key": stored.key,
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "size": len(PDF),
        "pages": 1,
    }


def states_of(batch: Batch) -> dict[str, int]:
    """How many papers are in each state; `held` for queued ones that wait for a person."""
    found: dict[str, int] = {}
    papers = Document.objects.filter(batch_items__batch=batch)
    for state, held in papers.values_list("state", "held"):
        word = "held" if held and state == DocumentState.QUEUED else state
        found[word] = found.get(word, 0) + 1
    return found
