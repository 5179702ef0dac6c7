"""One document from its row: what is stored, what is recorded, and how it can fail."""

import hashlib
from dataclasses import replace

import pytest
from django.db import connection

from documents.archive import archive
from documents.models import Delivery, Document, DocumentState, Notification, WebhookDelivery
from documents.services import making
from documents.services.deliveries import request_deliveries
from documents.services.requests import request_document
from documents.tasks import make_document
from tests.documents.mail import keep_book
from tests.documents.papers import files_below, statement_paper
from tests.documents.rendering.samples import png, text_of
from tests.factories import CompanyFactory, MembershipFactory
from tests.factories_of_telling import DocumentRequestFactory, WebhookEndpointFactory
from worker.dispatching import sweep_leases

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("archive_dir")]
LOGO = png()


def asked(paper=None):
    return request_document(
        company=CompanyFactory.create(), paper=paper or statement_paper(), by=None
    )


def with_facts(**facts):
    paper = statement_paper()
    return replace(paper, snapshot={**paper.snapshot, **facts})


def with_logo(key, content=LOGO):
    paper = statement_paper()
    logo = {
        "key": key,
        "sha256": hashlib.sha256(content).hexdigest(),
        "media_type": "image/png",
    }
    return with_facts(company={**paper.snapshot["company"], "logo": logo})


def made(document):
    outcome = make_document(str(document.pk))
    document.refresh_from_db()
    return outcome


def test_a_made_document_is_ready_with_a_file_that_says_what_was_frozen(queues):
    document = asked(statement_paper("Jörg & Söhne"))
    assert made(document) == "done"
    assert document.is_ready
    content = archive().read(document.storage_key, document.sha256)
    assert "Jörg & Söhne" in text_of(content)
    assert hashlib.sha256(content).hexdigest() == document.sha256
    assert (document.size, document.pages) == (len(content), 1)
    assert document.render_milliseconds > 0
    assert document.made_by
    assert document.storage_key.startswith(f"documents/{document.company_id}/")


def test_no_transaction_is_open_while_it_renders_or_writes_the_file(queues, monkeypatch):
    seen = []
    render, store = making.render_paper, type(archive()).store

    def noted_render(**options):
        seen.append(connection.in_atomic_block)
        return render(**options)

    def noted_store(self, *args, **options):
        seen.append(connection.in_atomic_block)
        return store(self, *args, **options)

    monkeypatch.setattr(making, "render_paper", noted_render)
    monkeypatch.setattr(type(archive()), "store", noted_store)
    assert made(asked()) == "done"
    assert seen == [False, False]


def test_made_twice_by_two_workers_it_is_one_file_and_the_seconds_result(queues, monkeypatch):
    """The first was thought dead: its lease was swept while it rendered."""
    document = asked()
    render = making.render_paper

    def slow(**options):
        monkeypatch.setattr(making, "render_paper", render)
        Document.objects.update(lease_expires_at=document.created_at)
        assert sweep_leases(Document) == 1
        assert made(document) == "done"
        return render(**options)

    monkeypatch.setattr(making, "render_paper", slow)
    make_document(str(document.pk))
    before = Document._base_manager.values().get(pk=document.pk)
    assert (before["state"], before["attempts"]) == ("ready", 2)
    assert before["made_by"] == document.made_by
    assert before["finished_at"] == document.finished_at
    assert len(files_below(archive().root)) == 1


def test_facts_that_cannot_be_printed_fail_for_good_and_name_the_field(queues):
    document = asked(statement_paper("Bad\x07Name"))
    assert made(document) == "failed"
    assert (document.state, document.attempts) == (DocumentState.FAILED, 1)
    assert document.failure.startswith("“Party's name” holds")
    assert "U+0007" in document.failure
    assert files_below(archive().root) == []


def test_a_document_that_fails_leaves_its_neighbours_alone(queues):
    bad, good = asked(statement_paper("Bad\x07Name")), asked()
    made(bad)
    assert made(good) == "done"


def test_an_error_while_rendering_is_tried_again_and_then_made(queues, monkeypatch):
    document = asked()
    with monkeypatch.context() as patched:
        patched.setattr(making, "render_paper", lambda **options: 1 / 0)
        assert made(document) == "failed"
    assert document.state == DocumentState.QUEUED
    assert document.failure == "An unexpected error: ZeroDivisionError."
    Document.objects.update(next_attempt_at=document.created_at)
    assert made(document) == "done"
    assert document.failure == ""


def test_a_logo_is_taken_from_the_archive_under_its_hash(queues):
    key = archive().store(LOGO, folder="logos", suffix=".png").key
    document = asked(with_logo(key))
    assert made(document) == "done"
    assert b"/Image" in archive().read(document.storage_key, document.sha256)


def test_a_missing_logo_fails_the_document(queues):
    document = asked(with_logo("logos/gone.png"))
    assert made(document) == "failed"
    assert document.state == DocumentState.FAILED
    assert document.failure == "A picture that belongs on it is missing."


def test_a_changed_logo_fails_the_document(queues):
    key = archive().store(LOGO, folder="logos", suffix=".png").key
    (archive().root / key).write_bytes(png("RGB", (9, 9)))
    document = asked(with_logo(key))
    assert made(document) == "failed"
    assert "has changed" in document.failure_detail


def test_a_snapshot_cannot_read_files_outside_the_archive(queues, tmp_path):
    (tmp_path / "secret").write_bytes(LOGO)
    document = asked(with_logo("../secret"))
    assert made(document) == "failed"
    assert "points out of the archive" in document.failure_detail


def test_the_same_facts_give_the_same_bytes_in_two_companies(queues):
    paper = statement_paper()
    one, other = asked(paper), asked(paper)
    made(one)
    made(other)
    assert one.pk != other.pk
    assert one.sha256 == other.sha256
    assert one.storage_key != other.storage_key


def test_a_paper_of_a_run_that_nobody_waits_for_takes_three_statements(
    queues, django_assert_num_queries
):
    """The claim, the record, and one question whether anybody is to be told."""
    document = asked()
    with django_assert_num_queries(5) as queries:  # and the two ends of a transaction
        assert make_document(document.pk) == "done"
    words = [query["sql"].split()[0] for query in queries.captured_queries]
    assert words == ["UPDATE", "BEGIN", "UPDATE", "SELECT", "COMMIT"]


def test_a_person_who_alone_waits_for_a_paper_is_told_when_it_is_made(queues):
    document = asked()
    user = MembershipFactory.create(company=document.company).user
    DocumentRequestFactory.create(document=document, user=user)
    assert made(document) == "done"
    assert Notification.objects.get().user == user


def test_a_system_that_alone_waits_for_a_paper_is_told_when_it_is_made(queues):
    document = asked()
    WebhookEndpointFactory.create(company=document.company, events=["document.ready"])
    assert made(document) == "done"
    assert WebhookDelivery.objects.get().subject_id == document.pk


def test_an_e_mail_that_alone_waits_for_a_paper_goes_when_it_is_made(queues, monkeypatch):
    document = asked()
    keep_book(monkeypatch)[document.recipient_id] = "accounts@harbour.example"
    request_deliveries(documents=[document], by=None)
    assert Delivery.objects.get().held
    assert made(document) == "done"
    assert not Delivery.objects.get().held
