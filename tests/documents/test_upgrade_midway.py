"""Papers asked for under one version of a template, and taken up by a worker of another."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from billing.services.papers import INVOICE
from documents import papers
from documents.archive import archive
from documents.fingerprints import fingerprint
from documents.models import BatchJob, BatchState, Document, DocumentState
from documents.papers import paper_kind, paper_kinds
from documents.selectors.bundles import cover_of, jobs_of
from documents.services.batch_actions import retry_failed
from documents.services.requests import request_document
from documents.services.sending import _named_by
from documents.services.template_versions import _UNTIL_A_NEWER_WORKER
from documents.tasks import make_document
from tests.documents.papers import files_below, statement_paper
from tests.factories import BatchFactory, BatchItemFactory, BatchJobFactory, CompanyFactory
from worker.clock import database_now

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("archive_dir", "queues"),
]
STATEMENT = paper_kind("statement")
BEFORE, NOW = STATEMENT.version, STATEMENT.version + 1


@pytest.fixture
def prints(monkeypatch):
    """Makes this process one that prints statements of that version."""

    def become(version, **facts):
        kind = replace(STATEMENT, version=version, **facts)
        monkeypatch.setitem(papers._registry.papers, "statement", kind)

    return become


def asked(company=None, paper=None):
    company = company or CompanyFactory.create()
    return request_document(company=company, paper=paper or statement_paper(), by=None)


def made(document):
    make_document(str(document.pk))
    document.refresh_from_db()
    return document


def test_a_newer_row_is_left_to_a_newer_worker_without_using_up_an_attempt(prints, caplog):
    prints(NOW)
    document = asked()
    prints(BEFORE)
    for _ in range(document.max_attempts + 1):
        Document.objects.update(next_attempt_at=database_now() - timedelta(seconds=1))
        with caplog.at_level(logging.WARNING, "pressroom.worker"):
            made(document)
        assert (document.state, document.attempts) == (DocumentState.QUEUED, 0)
    wait = document.next_attempt_at - database_now()
    assert timedelta(0) < wait <= _UNTIL_A_NEWER_WORKER
    assert f"prints version {BEFORE}: a worker of a newer version is needed" in caplog.text
    assert files_below(archive().root) == []

    prints(NOW)
    Document.objects.update(next_attempt_at=database_now() - timedelta(seconds=1))
    assert made(document).is_ready
    assert document.template_version == NOW


def test_a_message_that_comes_too_early_finds_nothing_to_claim(prints):
    """Else the same worker would take it up and give it back as fast as it can."""
    prints(NOW)
    document = asked()
    prints(BEFORE)
    made(document)
    assert make_document(str(document.pk)) == "nothing to claim"


def test_an_older_row_whose_facts_are_read_no_more_fails_at_once_in_words(prints):
    prints(BEFORE)
    document = asked()
    prints(NOW)
    made(document)
    assert (document.state, document.attempts) == (DocumentState.FAILED, 1)
    assert "before the last upgrade" in document.failure
    assert "ask for it anew" in document.failure
    assert (document.template_version, files_below(archive().root)) == (BEFORE, [])


def test_asked_for_anew_it_is_a_new_row_that_is_made(prints):
    prints(BEFORE)
    paper = statement_paper()
    document = made(asked(paper=paper))
    prints(NOW)
    again = asked(document.company, replace(paper, kind=paper_kind("statement")))
    assert made(again).is_ready
    assert (again.template_version, again.supersedes_id) == (NOW, document.pk)


def test_an_older_row_whose_facts_are_still_read_is_made_with_the_present_template(prints):
    prints(BEFORE)
    paper = statement_paper()
    document = asked(paper=paper)
    prints(NOW, reads_since=BEFORE)
    assert made(document).is_ready
    now = fingerprint(replace(paper, kind=paper_kind("statement")))
    assert (document.template_version, document.fingerprint) == (NOW, now)
    content = archive().read(document.storage_key, document.sha256)
    assert _named_by(content) == now
    # Whoever asks for it now finds it, instead of a second one.
    assert asked(document.company, replace(paper, kind=paper_kind("statement"))).pk == document.pk


def test_an_older_row_that_was_asked_for_since_says_so(prints):
    prints(BEFORE)
    paper = statement_paper()
    document = asked(paper=paper)
    prints(NOW, reads_since=BEFORE)
    again = asked(document.company, replace(paper, kind=paper_kind("statement")))
    assert made(document).state == DocumentState.FAILED
    assert "once more since" in document.failure
    assert document.template_version == BEFORE
    assert made(again).is_ready


def test_who_lost_the_lease_changes_no_version(prints, monkeypatch):
    prints(BEFORE)
    document = asked()
    before = document.fingerprint
    prints(NOW, reads_since=BEFORE)
    monkeypatch.setattr(Document, "renew", lambda self, **fields: False)
    make_document(str(document.pk))
    document.refresh_from_db()
    assert (document.template_version, document.fingerprint) == (BEFORE, before)
    assert files_below(archive().root) == []


def test_the_rest_of_a_run_is_made_after_the_upgrade(prints):
    """Half of it was made before; the failed one of an unread version says how to go on."""
    prints(BEFORE)
    batch = BatchFactory.create(state=BatchState.DONE)
    first, second = asked(batch.company), asked(batch.company)
    for document in (first, second):
        BatchItemFactory.create(batch=batch, document=document)
    made(first)
    prints(NOW)
    assert made(second).state == DocumentState.FAILED
    assert "start the run anew" in second.failure

    prints(NOW, reads_since=BEFORE)
    assert retry_failed(batch=batch, by=None) == 1
    assert made(second).is_ready
    first.refresh_from_db()
    assert (first.template_version, second.template_version) == (BEFORE, NOW)


def test_the_covering_list_of_a_run_is_still_found(prints):
    prints(BEFORE)
    batch = BatchFactory.create(state=BatchState.DONE)
    document = asked(batch.company)
    facts = {"batch": batch, "state": "done", "contents": document.fingerprint}
    BatchJobFactory.create(step=BatchJob.Step.COVER, **facts)
    other = BatchJobFactory.create(step=BatchJob.Step.ZIP, **facts)
    prints(NOW, reads_since=BEFORE)
    made(document)
    assert cover_of(batch, jobs_of(batch)).document == document
    other.refresh_from_db()
    assert other.contents == facts["contents"]


def test_invoices_of_the_version_before_are_read():
    """Version 3 draws the QR code with another mask: of the facts nothing changed."""
    assert (INVOICE.version, INVOICE.oldest_read) == (3, 2)


@pytest.mark.parametrize("kind", paper_kinds(), ids=lambda kind: kind.name)
def test_no_kind_reads_versions_to_come(kind):
    assert 1 <= kind.oldest_read <= kind.version
