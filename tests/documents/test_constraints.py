"""What the database itself refuses of papers, runs and e-mails. Each constraint by its name."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint, UniqueConstraint

from documents.models import BatchItem, BatchJob, Delivery, Document
from documents.services import deliveries
from documents.services.deliveries import request_deliveries
from tests.documents.mail import delivery_to, keep_book, make, paper_for
from tests.factories import BatchItemFactory, BatchJobFactory, CompanyFactory, DocumentFactory
from tests.worker.racing import at_once

pytestmark = pytest.mark.usefixtures("archive_dir")


@pytest.fixture
def book(monkeypatch):
    return keep_book(monkeypatch)


@pytest.fixture
def rows(db, book):
    """One row of each kind by its model."""
    item = BatchItemFactory.create()
    return {
        Document: DocumentFactory.create(ready=True),
        BatchItem: item,
        BatchJob: BatchJobFactory.create(batch=item.batch),
        Delivery: delivery_to(book, "a@customer.example"),
    }


@contextmanager
def refused_by(name: str) -> Iterator[None]:
    """The block is refused by this constraint, which SQLite names for CHECKs only."""
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        yield
    if connection.vendor == "postgresql" or re.search("CHECK", str(refused.value)):
        assert name in str(refused.value)


FAILED = {"state": "failed", "failure": ""}
CHECKS = {
    "document_ready_has_a_file": (Document, {"sha256": ""}),
    "document_failed_has_a_reason": (Document, FAILED),
    "batch_item_has_paper_or_reason": (BatchItem, {"document": None}),
    "batch_job_failed_has_a_reason": (BatchJob, FAILED),
    "delivery_failed_has_a_reason": (Delivery, FAILED),
    "delivery_sent_has_an_address": (Delivery, {"state": "sent", "address": ""}),
}
# A second row like the one there is, but for what another of its constraints would refuse.
UNIQUES = {
    "document_fingerprint_once_per_company": (Document, {"version": 2}),
    "document_version_once_per_paper": (Document, {"fingerprint": "f" * 64}),
    "batch_item_once_per_subject": (BatchItem, {"position": 7}),
    "batch_job_once_per_step": (BatchJob, {}),
    "delivery_once_per_recipient": (Delivery, {"message_id": "another@localhost"}),
}


@pytest.mark.parametrize("name", CHECKS)
def test_it_refuses(rows, name):
    model, changes = CHECKS[name]
    with refused_by(name):
        model._base_manager.filter(pk=rows[model].pk).update(**changes)


@pytest.mark.parametrize("name", UNIQUES)
def test_a_second_row_is_refused(rows, name):
    model, changes = UNIQUES[name]
    second = copy_of(rows[model], **changes)
    with refused_by(name):
        second.save(force_insert=True)


def copy_of(row, **changes):
    copy = type(row)._base_manager.get(pk=row.pk)
    copy.pk, copy._state.adding = None, True
    for field, value in changes.items():
        setattr(copy, field, value)
    return copy


@pytest.mark.parametrize("field", ["storage_key", "size", "pages"])
def test_a_paper_that_is_ready_has_all_of_a_file(rows, field):
    with refused_by("document_ready_has_a_file"):
        Document.objects.update(**{field: "" if field == "storage_key" else 0})


def test_a_row_of_a_run_has_not_both_a_paper_and_a_reason_for_none(rows):
    with refused_by("batch_item_has_paper_or_reason"):
        BatchItem.objects.filter(pk=rows[BatchItem].pk).update(skipped_reason="Nothing to tell.")


def test_what_is_in_order_is_not_refused(rows):
    """The control: the rows above are refused for what was changed of them."""
    for row in rows.values():
        row.save()
    copy_of(rows[Delivery], message_id="another@localhost", recipient_id=uuid4()).save()
    copy_of(rows[BatchItem], subject_id=uuid4()).save()


def test_every_constraint_of_these_tables_is_tried_here():
    def named(kind):
        tables = (Document, BatchItem, BatchJob, Delivery)
        found = [it for model in tables for it in model._meta.constraints]
        return {constraint.name for constraint in found if isinstance(constraint, kind)}

    assert named(CheckConstraint) == set(CHECKS)
    assert named(UniqueConstraint) == set(UNIQUES)


# --- Two who ask for the same e-mail at once -----------------------------------------------------


def emails_after_a_race(book, monkeypatch) -> int:
    """Both have looked, and found none, before either inserts."""
    document = make(paper_for(book, CompanyFactory.create(), "a@customer.example"))
    look, both_have_looked = deliveries._without_one, threading.Barrier(2)

    def look_before_any_inserts(documents):
        found = look(documents)
        both_have_looked.wait(timeout=10)
        return found

    monkeypatch.setattr(deliveries, "_without_one", look_before_any_inserts)
    results = at_once(*[lambda: request_deliveries(documents=[document], by=None)] * 2)
    assert results == [1, 1], "both meant to insert"
    return Delivery.objects.filter(document=document).count()


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_one_email(book, monkeypatch):
    assert emails_after_a_race(book, monkeypatch) == 1


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_control_without_the_constraint_there_would_be_two(book, monkeypatch):
    [unique] = [it for it in Delivery._meta.constraints if isinstance(it, UniqueConstraint)]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Delivery, unique)
    try:
        assert emails_after_a_race(book, monkeypatch) == 2
    finally:
        Delivery.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Delivery, unique)
