"""Claim, commit, work, record: every end that work can come to."""

import logging

import pytest
from django.db import DatabaseError, connection
from structlog.contextvars import get_contextvars

from documents.models import Document, DocumentState
from tests.factories import DocumentFactory
from worker.running import TryAgain, WorkFailed, work_on

pytestmark = pytest.mark.django_db(transaction=True)
FILE = {"storage_key": "a/b", "sha256": "0" * 64, "size": 1, "pages": 1}


def raising(error):
    def do(document):
        raise error

    return do


def after(do, **options):
    """What the log says, and the row, after one attempt."""
    document = DocumentFactory.create(**options)
    outcome = work_on(Document, document.pk, do)
    return outcome, Document._base_manager.get(pk=document.pk)


def test_done_work_is_recorded_by_the_work_itself():
    outcome, document = after(lambda document: document.finish(**FILE))
    assert (outcome, document.state) == ("done", DocumentState.READY)


def test_no_transaction_is_open_while_it_works():
    seen = []

    def do(document):
        seen.append((connection.in_atomic_block, connection.get_autocommit()))
        document.finish(**FILE)

    after(do)
    assert seen == [(False, True)]


@pytest.mark.servers
def test_a_line_that_was_cut_is_told_on_another_and_the_lease_not_waited_for():
    def do(document):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    outcome, document = after(do)
    assert (outcome, document.state) == ("failed", DocumentState.QUEUED)
    assert document.failure == "The database was away or busy."


@pytest.mark.servers
def test_the_claim_is_committed_before_the_work_begins():
    seen = []

    def do(document):
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT state, attempts FROM documents_document")
                seen.extend(cursor.fetchall())
        finally:
            other.close()

    after(do)
    assert seen == [("running", 1)]


def test_a_message_that_comes_twice_works_once():
    calls = []

    def do(document):
        calls.append(document.pk)
        document.finish(**FILE)

    document = DocumentFactory.create()
    outcomes = [work_on(Document, document.pk, do) for _ in range(3)]
    assert outcomes == ["done", "nothing to claim", "nothing to claim"]
    assert calls == [document.pk]


def test_a_message_for_a_row_that_is_gone_does_nothing():
    document = DocumentFactory.create()
    Document.objects.all().delete()
    assert work_on(Document, document.pk, raising(AssertionError())) == "nothing to claim"


def test_facts_that_cannot_work_fail_for_good_with_both_reasons():
    outcome, document = after(raising(WorkFailed("The name can't be printed.", "U+0007")))
    assert (outcome, document.state) == ("failed", DocumentState.FAILED)
    assert document.failure == "The name can't be printed."
    assert document.failure_detail == "U+0007"


def test_out_of_memory_fails_for_good():
    outcome, document = after(raising(MemoryError()))
    assert (outcome, document.state) == ("failed", DocumentState.FAILED)
    assert document.failure == "It needed more memory than is allowed."
    assert document.failure_detail.endswith("MemoryError\n")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DatabaseError("gone"), "The database was away or busy."),
        (ZeroDivisionError("by zero"), "An unexpected error: ZeroDivisionError."),
        (OSError(28, "No space left on device"), "An unexpected error: OSError."),
    ],
)
def test_what_may_pass_is_tried_again(error, reason):
    outcome, document = after(raising(error))
    assert (outcome, document.state) == ("failed", DocumentState.QUEUED)
    assert document.failure == reason
    assert str(error) in document.failure_detail
    assert document.attempts == 1


def test_what_does_not_pass_fails_after_the_last_attempt():
    _, document = after(raising(ZeroDivisionError()), attempts=2, max_attempts=3)
    assert document.state == DocumentState.FAILED
    assert document.failure == "An unexpected error: ZeroDivisionError."


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_an_end_of_the_process_is_left_to_the_lease(end):
    document = DocumentFactory.create()
    with pytest.raises(end):
        work_on(Document, document.pk, raising(end()))
    document.refresh_from_db()
    assert document.state == DocumentState.RUNNING


def test_a_failure_after_the_lease_was_lost_changes_nothing():
    def do(document):
        Document._base_manager.update(state="cancelled", token=None)
        raise ZeroDivisionError

    outcome, document = after(do)
    assert outcome == "failed, but the lease was lost"
    assert (document.state, document.failure) == (DocumentState.CANCELLED, "")


def test_a_trace_of_any_length_fits():
    def deep(number):
        if not number:
            raise ValueError("x" * 50_000)
        deep(number - 1)

    _, document = after(lambda document: deep(50))
    assert len(document.failure_detail) == 8000
    assert document.failure_detail.endswith("x\n")


def test_a_reason_may_be_all_there_is_to_tell():
    _, document = after(raising(WorkFailed("The name can't be printed.")))
    assert document.failure_detail == ""
    assert str(WorkFailed("The name can't be printed.")) == "The name can't be printed."


def test_what_may_pass_keeps_its_own_detail_before_the_trace():
    outcome, document = after(raising(TryAgain("The disk is full.", "3 bytes left")))
    assert (outcome, document.state) == ("failed", DocumentState.QUEUED)
    assert document.failure == "The disk is full."
    assert document.failure_detail.startswith("3 bytes left\nTraceback (most recent call last)")
    _, document = after(raising(TryAgain("The disk is full.")))
    assert document.failure_detail.startswith("Traceback (most recent call last)")


def test_the_log_says_the_outcome_the_reason_and_whose_work_it_was(caplog):
    seen = []

    def do(document):
        seen.append(get_contextvars())
        raise WorkFailed("The name can't be printed.")

    caplog.set_level(logging.INFO, logger="pressroom.worker")
    _, document = after(do)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"Document {document.pk}: The name can't be printed."),
        ("INFO", "failed"),
    ]
    assert seen == [{"work": "document", "work_id": str(document.pk)}]
    assert "work_id" not in get_contextvars()
