"""Deliveries to send: real papers of parties that an address book of the test's own knows."""

from typing import Any
from uuid import UUID, uuid4

from accounts.models import Company
from documents import papers
from documents.archive import archive
from documents.models import Batch, BatchItem, Delivery, Document, DocumentState
from documents.services.deliveries import request_deliveries
from documents.services.requests import insert_documents
from tests.documents.papers import statement_paper
from tests.factories import BatchFactory, CompanyFactory

Book = dict[UUID, str]


def keep_book(monkeypatch: Any) -> Book:
    """From now on `papers.addresses_of` reads this dictionary."""
    book: Book = {}
    monkeypatch.setattr(
        papers._registry,
        "address_book",
        lambda company, recipients: {key: book[key] for key in recipients if key in book},
    )
    return book


def paper_for(book: Book, company: Company, address: str = "", **changes: Any) -> Document:
    """A stored paper about a party with that address, its file's content its own."""
    paper = statement_paper(changes.pop("name", "Harbour & Hill"), **changes)
    if address:
        book[paper.recipient_id] = address
    [document] = insert_documents(company=company, papers=[paper], by=None, queue="interactive")
    return document


def make(document: Document) -> Document:
    """As a worker would, without rendering."""
    content = b"%PDF-1.7\n% " + document.pk.bytes.hex().encode() + b"\n%%EOF\n"
    stored = archive().store(content, folder=f"documents/{document.company_id}", suffix=".pdf")
    Document._base_manager.filter(pk=document.pk).update(
        state=DocumentState.READY,
        storage_key=stored.key,
        sha256=stored.sha256,
        size=stored.size,
        pages=1,
    )
    document.refresh_from_db()
    return document


def delivery_to(
    book: Book, address: str, company: Company | None = None, **options: Any
) -> Delivery:
    """Queued, its paper made."""
    company = company or CompanyFactory.create(legal_name="Northgate Giftware Ltd")
    batch = options.pop("batch", None)
    document = make(paper_for(book, company, address, **options))
    request_deliveries(documents=[document], by=None, batch=batch)
    return Delivery.objects.get(document=document)


def run_of(book: Book, count: int, company: Company | None = None) -> tuple[Batch, list[Document]]:
    """A run of papers that are still to be made; every party has an address."""
    batch = BatchFactory.create(company=company or CompanyFactory.create(), send=True)
    documents = [
        paper_for(book, batch.company, f"party{place}@example.org", name=f"Party {place}")
        for place in range(count)
    ]
    BatchItem.objects.bulk_create(
        BatchItem(
            company=batch.company,
            batch=batch,
            position=place,
            subject_id=uuid4(),
            document=document,
        )
        for place, document in enumerate(documents)
    )
    return batch, documents
