"""Trying again, cancelling and putting away many documents at once."""

import pytest
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from documents.models import Batch, BatchState, Document, DocumentState
from documents.services import queueing
from documents.services.making import make_document
from documents.services.queueing import cancel_documents, clear_failed, retry_documents
from documents.services.requests import request_document
from tests.documents.papers import statement_paper
from tests.factories import (
    BatchItemFactory,
    CompanyFactory,
    DocumentFactory,
    UserFactory,
    many_documents,
)
from tests.worker.messages import waiting
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return CompanyFactory.create()


@pytest.fixture
def clerk():
    return UserFactory.create()


@pytest.fixture
def one_of_each(company):
    made = {"ready": DocumentFactory.create(company=company, ready=True)}
    made["failed"] = DocumentFactory.create(company=company, failed=True)
    for state in ("queued", "running", "cancelled"):
        made[state] = DocumentFactory.create(company=company, state=state)
    return made


def every(company):
    return Document.objects.for_company(company)


def states(company):
    return dict(every(company).values_list("pk", "state"))


def trail(document):
    entries = LogEntry.objects.get_for_object(document)
    return [(entry.actor, entry.changes["state"]) for entry in entries]


def test_what_failed_or_was_cancelled_is_tried_again_and_nothing_else(company, clerk, one_of_each):
    before = states(company)
    assert retry_documents(company=company, rows=every(company), by=clerk) == 2
    for state, document in one_of_each.items():
        document.refresh_from_db()
        moved = state in ("failed", "cancelled")
        assert document.state == ("queued" if moved else before[document.pk])
    failed = one_of_each["failed"]
    assert (failed.attempts, failed.failure, failed.finished_at) == (0, "", None)
    assert trail(failed) == [(clerk, ["failed", "queued again"])]
    assert trail(one_of_each["ready"]) == []


def test_what_waits_or_is_being_made_is_cancelled_and_nothing_else(company, clerk, one_of_each):
    assert cancel_documents(company=company, rows=every(company), by=clerk) == 2
    now = states(company)
    assert now[one_of_each["queued"].pk] == now[one_of_each["running"].pk] == "cancelled"
    assert now[one_of_each["ready"].pk] == "ready"
    assert now[one_of_each["failed"].pk] == "failed"
    assert trail(one_of_each["running"]) == [(clerk, ["being made", "cancelled"])]


def test_what_failed_is_put_away_once_and_comes_back_when_it_is_tried_again(
    company, clerk, one_of_each
):
    assert clear_failed(company=company, rows=every(company), by=clerk) == 1
    assert clear_failed(company=company, rows=every(company), by=clerk) == 0
    failed = one_of_each["failed"]
    failed.refresh_from_db()
    assert failed.cleared_at is not None
    retry_documents(company=company, rows=every(company).filter(pk=failed.pk), by=clerk)
    failed.refresh_from_db()
    assert failed.cleared_at is None


def test_another_companys_rows_are_never_touched(company, clerk):
    theirs = DocumentFactory.create(failed=True)
    rows = Document.objects.all()  # a mistake of the caller's
    assert retry_documents(company=company, rows=rows, by=clerk) == 0
    theirs.refresh_from_db()
    assert theirs.state == DocumentState.FAILED


@pytest.mark.django_db(transaction=True)
def test_a_paper_cancelled_while_it_is_made_stays_cancelled(company, clerk, archive_dir, queues):
    document = request_document(company=company, paper=statement_paper(), by=clerk)

    def cancelled_meanwhile(work):
        cancel_documents(company=company, rows=every(company), by=clerk)
        make_document(work)

    work_on(Document, document.pk, cancelled_meanwhile)
    document.refresh_from_db()
    assert (document.state, document.sha256) == (DocumentState.CANCELLED, "")


@pytest.mark.django_db(transaction=True)
def test_one_that_is_tried_again_is_nudged_and_many_wait_for_the_dispatcher(company, queues):
    one = DocumentFactory.create(company=company, failed=True)
    retry_documents(company=company, rows=every(company), by=None)
    assert waiting(queues) == [str(one.pk)]
    DocumentFactory.create_batch(11, company=company, failed=True)
    retry_documents(company=company, rows=every(company), by=None)
    assert waiting(queues) == [str(one.pk)]


def test_a_run_that_was_done_goes_on_when_one_of_its_papers_is_tried_again(company):
    item = BatchItemFactory.create(batch__company=company, batch__state=BatchState.DONE)
    Batch.objects.update(finished_at=timezone.now(), announced_at=timezone.now())
    Document.objects.update(state="failed", failure="Why.")
    retry_documents(company=company, rows=every(company), by=None)
    item.batch.refresh_from_db()
    assert (item.batch.state, item.batch.finished_at) == (BatchState.RUNNING, None)
    assert item.batch.announced_at is None


def test_old_papers_of_a_run_do_not_overtake_the_run_of_today(company):
    today = DocumentFactory.create(queue="batch", turn=5000)
    old = DocumentFactory.create(company=company, queue="batch", turn=3, failed=True)
    retry_documents(company=company, rows=every(company), by=None)
    old.refresh_from_db()
    assert old.turn == today.turn


@pytest.mark.servers  # SQLite takes fewer values a statement
@pytest.mark.parametrize("many", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("act", "state", "after"),
    [
        pytest.param(cancel_documents, "queued", {"state": "cancelled"}, id="cancel"),
        pytest.param(
            clear_failed, "failed", {"state": "failed", "cleared_at__isnull": False}, id="clear"
        ),
        pytest.param(retry_documents, "failed", {"state": "queued"}, id="retry"),
    ],
)
def test_many_take_few_statements(
    act, state, after, many, company, clerk, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr(queueing, "_CHUNK", many // 2)
    Document.objects.bulk_create(many_documents(many, company=company, state=state, failure="Why."))
    # The rows, two changes of half of them, inserts of a thousand into the trail; what frames them.
    ContentType.objects.get_for_model(Document)
    with django_assert_max_num_queries(20 + many // 1000):
        assert act(company=company, rows=every(company), by=clerk) == many
    assert every(company).filter(**after).count() == many
    assert LogEntry.objects.filter(actor=clerk).count() == many
