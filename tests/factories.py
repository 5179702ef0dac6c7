"""Rows for tests: users, companies, documents and runs in any state."""

import hashlib
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import uuid4

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import Company, Membership, Role, User
from documents.archive import archive
from documents.models import Batch, BatchItem, BatchJob, BatchState, Document, DocumentState

PASSWORD = "correct horse battery"
PDF = b"%PDF-1.7\n% a stand-in for a paper\n%%EOF\n"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.org")
    name = factory.Sequence(lambda number: f"Person {number}")
    password = factory.LazyFunction(lambda: _hashed())


class CompanyFactory(DjangoModelFactory[Company]):
    class Meta:
        model = Company

    slug = factory.Sequence(lambda number: f"company-{number}")
    legal_name = factory.Sequence(lambda number: f"Company {number} Ltd")
    country = "GB"
    currency = "GBP"
    locale = "en_GB"
    time_zone = "Europe/London"


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    company = factory.SubFactory(CompanyFactory)
    role = Role.VIEWER


class DocumentFactory(DjangoModelFactory[Document]):
    """Queued; with `ready=True` ready, its file lying in the archive."""

    class Meta:
        model = Document

    class Params:
        ready = factory.Trait(
            state=DocumentState.READY,
            attempts=1,
            pages=2,
            started_at=factory.LazyFunction(timezone.now),
            finished_at=factory.LazyFunction(timezone.now),
            storage_key=factory.LazyAttribute(lambda made: stored(made.company, PDF)),
            sha256=hashlib.sha256(PDF).hexdigest(),
            size=len(PDF),
        )
        failed = factory.Trait(
            state=DocumentState.FAILED,
            attempts=3,
            started_at=factory.LazyFunction(timezone.now),
            finished_at=factory.LazyFunction(timezone.now),
            failure="A character of the name can't be printed.",
        )

    company = factory.SubFactory(CompanyFactory)
    kind = "statement"
    title = factory.Sequence(lambda number: f"Statement {number}")
    subject_id = factory.LazyFunction(uuid4)
    recipient_id = factory.LazyFunction(uuid4)
    recipient_code = factory.Sequence(lambda number: f"C-{number:04}")
    recipient_name = factory.Sequence(lambda number: f"Customer {number}")
    amount = Decimal("1234.50")
    currency = "GBP"
    snapshot = factory.LazyFunction(dict)
    fingerprint = factory.LazyFunction(lambda: uuid4().hex * 2)
    template_version = 1
    locale = "en_GB"


class BatchFactory(DjangoModelFactory[Batch]):
    class Meta:
        model = Batch

    company = factory.SubFactory(CompanyFactory)
    kind = "statements"
    title = factory.Sequence(lambda number: f"Statements {number}")
    state = BatchState.RUNNING
    planned_at = factory.LazyFunction(timezone.now)


class BatchItemFactory(DjangoModelFactory[BatchItem]):
    """With a queued document; `skipped_reason="…", document=None` for a party left out."""

    class Meta:
        model = BatchItem

    batch = factory.SubFactory(BatchFactory)
    company = factory.SelfAttribute("batch.company")
    position = factory.Sequence(lambda number: number)
    subject_id = factory.LazyFunction(uuid4)
    code = factory.Sequence(lambda number: f"C-{number:04}")
    name = factory.Sequence(lambda number: f"Customer {number}")
    document = factory.SubFactory(
        DocumentFactory, company=factory.SelfAttribute("..company"), queue="batch"
    )


class BatchJobFactory(DjangoModelFactory[BatchJob]):
    class Meta:
        model = BatchJob

    batch = factory.SubFactory(BatchFactory)
    step = BatchJob.Step.PLAN
    queue = "batch"


def many_documents(count: int, **facts: Any) -> list[Document]:
    """Built, not saved: the first by the factory, which takes seconds for ten thousand; the others
    are copies of it, numbered, of subjects of their own.
    """
    first = DocumentFactory.build(**facts)
    values = {field.name: getattr(first, field.name) for field in Document._meta.concrete_fields}
    several = [first][:count]
    for number in range(2, count + 1):
        of_its_own = {
            "id": uuid4(),
            "title": f"{first.title}-{number:05}",
            "subject_id": uuid4(),
            "recipient_id": uuid4(),
            "recipient_code": f"{first.recipient_code}-{number:05}",
            "recipient_name": f"{first.recipient_name}-{number:05}",
            "fingerprint": uuid4().hex * 2,
        }
        several.append(Document(**{**values, **of_its_own}))
    return several


@cache
def _hashed() -> str:
    """Hashed once: it takes longer than the rest of a test."""
    return make_password(PASSWORD)


def stored(company: Company, content: bytes) -> str:
    return archive().store(content, folder=f"documents/{company.pk}", suffix=".pdf").key


def member(role: Role = Role.VIEWER, **options: Any) -> Membership:
    return MembershipFactory.create(role=role, **options)
