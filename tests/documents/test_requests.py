"""Asking for paper: the same facts asked for twice, or by two at once, are one row."""

import threading
import time
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from documents.models import Document, DocumentRequest, DocumentState
from documents.services import requests
from documents.services.requests import insert_documents, request_document
from tests.documents.papers import statement_paper
from tests.factories import CompanyFactory, DocumentFactory, UserFactory
from tests.worker.messages import waiting
from tests.worker.racing import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return CompanyFactory.create()


def ask(company, paper, by=None):
    return request_document(company=company, paper=paper, by=by)


def changed(paper, name):
    """The paper about the same subject with other facts."""
    facts = {**paper.snapshot, "party": {**paper.snapshot["party"], "name": name}}
    return replace(paper, snapshot=facts)


def test_a_request_is_a_queued_row_with_the_frozen_facts(company):
    paper, clerk = statement_paper("Jörg & Söhne"), UserFactory.create()
    made = ask(company, paper, clerk)
    document = Document._base_manager.get(pk=made.pk)
    assert document.state == DocumentState.QUEUED
    assert document.snapshot == paper.snapshot
    assert (document.kind, document.template_version) == ("statement", paper.kind.version)
    assert document.requested_by == clerk
    assert (document.version, document.supersedes) == (1, None)


def test_the_same_paper_asked_for_again_is_the_same_row(company):
    paper = statement_paper()
    first = ask(company, paper)
    Document.objects.update(state="failed", failure="Why.")
    again = ask(company, paper)
    assert again.pk == first.pk
    assert again.state == DocumentState.FAILED
    assert Document.objects.count() == 1


def test_another_company_has_a_row_of_its_own(company):
    paper = statement_paper()
    mine, theirs = ask(company, paper), ask(CompanyFactory.create(), paper)
    assert mine.pk != theirs.pk
    assert mine.fingerprint == theirs.fingerprint
    assert (theirs.version, theirs.supersedes) == (1, None)


def test_the_database_refuses_the_same_fingerprint_twice_in_a_company(company):
    DocumentFactory.create(company=company, fingerprint="f" * 64)
    DocumentFactory.create(fingerprint="f" * 64)
    with (
        pytest.raises(IntegrityError, match=r"fingerprint"),
        transaction.atomic(),
    ):
        DocumentFactory.create(company=company, fingerprint="f" * 64)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "failed"}, "document_failed_has_a_reason"),
        ({"state": "ready"}, "document_ready_has_a_file"),
        ({"state": "ready", "storage_key": "a", "sha256": "b"}, "document_ready_has_a_file"),
    ],
)
def test_the_database_refuses(values, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        DocumentFactory.create(**values)


def test_a_float_is_refused_and_leaves_no_row(company):
    paper = statement_paper()
    with pytest.raises(TypeError, match="no floats"):
        ask(company, replace(paper, snapshot={**paper.snapshot, "closing": 1.5}))
    assert not Document.objects.exists()


def test_changed_facts_are_a_new_version_that_supersedes(company):
    paper = statement_paper()
    first = ask(company, paper)
    second = ask(company, changed(paper, "New name"))
    third = ask(company, changed(paper, "Newer name"))
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert (second.supersedes, third.supersedes) == (first, second)
    first.refresh_from_db()
    assert first.snapshot["party"]["name"] == "Harbour & Hill"


def test_facts_that_are_as_they_were_find_the_old_paper(company):
    paper = statement_paper()
    first = ask(company, paper)
    ask(company, changed(paper, "New name"))
    assert ask(company, paper) == first
    assert Document.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"subject_id": uuid4()},
        {"period_start": date(2011, 2, 1), "period_end": date(2011, 2, 28)},
    ],
    ids=["subject", "period"],
)
def test_another_paper_supersedes_nothing(company, change):
    paper = statement_paper(period_start=date(2011, 1, 1), period_end=date(2011, 1, 31))
    ask(company, paper)
    other = ask(company, replace(changed(paper, "New name"), **change))
    assert (other.version, other.supersedes) == (1, None)


def test_many_are_returned_in_their_order_and_only_the_missing_are_inserted(company):
    papers = [statement_paper(f"Customer {number}") for number in range(5)]
    known = ask(company, papers[3])
    documents = insert_documents(
        company=company, papers=[*papers, papers[0]], by=None, queue="batch", first_turn=10
    )
    assert [document.recipient_name for document in documents] == [
        *(f"Customer {number}" for number in range(5)),
        "Customer 0",
    ]
    assert documents[3] == known
    assert documents[0] == documents[5]
    assert Document.objects.count() == 5
    assert sorted(documents[place].turn for place in (1, 2, 4)) == [11, 12, 14]


@pytest.mark.servers  # SQLite takes fewer values a statement
def test_a_bulk_of_papers_costs_a_few_queries(company, django_assert_max_num_queries):
    papers = [statement_paper(f"Customer {number}") for number in range(200)]
    with django_assert_max_num_queries(6):
        insert_documents(company=company, papers=papers, by=None, queue="batch")


def asked_by_two(company, paper, monkeypatch):
    """Both have looked, and found nothing, before either inserts."""
    barrier = threading.Barrier(2)
    versions = requests._latest_versions

    def both_have_looked(*args):
        barrier.wait(10)
        return versions(*args)

    monkeypatch.setattr(requests, "_latest_versions", both_have_looked)
    return at_once(*[lambda: ask(company, paper)] * 2)


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_two_at_once_share_one_row(company, monkeypatch):
    first, second = asked_by_two(company, statement_paper(), monkeypatch)
    assert first == second
    assert Document.objects.get() == first


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_control_without_ignoring_the_conflict_one_of_two_would_fail(company, monkeypatch):
    manager = type(Document.objects)
    insert = manager.bulk_create
    monkeypatch.setattr(
        manager,
        "bulk_create",
        lambda self, rows, ignore_conflicts, **options: insert(self, rows, **options),
    )
    results = asked_by_two(company, statement_paper(), monkeypatch)
    assert [type(result) for result in results].count(IntegrityError) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_stopped_document_is_queued_again_with_all_its_attempts(state, queues):
    document = DocumentFactory.create(state=state, attempts=3, failure="Why.")
    assert requests.queue_again(document)
    assert waiting(queues) == [str(document.pk)]
    claimed = Document.claim(document.pk)
    assert (claimed.attempts, claimed.failure) == (1, "")


@pytest.mark.parametrize("state", ["queued", "running", "ready"])
def test_what_has_not_stopped_is_not_queued_again(state):
    document = DocumentFactory.create(ready=state == "ready", attempts=1)
    Document.objects.update(state=state)
    assert not requests.queue_again(document)
    document.refresh_from_db()
    assert (document.state, document.attempts) == (state, 1)


def stand(company):
    """The versions of the only paper, the one that stands first."""
    rows = Document.objects.for_company(company).order_by("-current_since", "-version")
    return [document.version for document in rows]


def test_facts_that_went_back_make_the_old_version_stand_again(company):
    paper = statement_paper()
    ask(company, paper)
    ask(company, changed(paper, "New name"))
    assert stand(company) == [2, 1]
    time.sleep(0.01)  # SQLite's clock counts milliseconds
    ask(company, paper)
    assert stand(company) == [1, 2]
    time.sleep(0.01)
    ask(company, changed(paper, "New name"))
    assert stand(company) == [2, 1]


def test_asking_again_for_what_stands_moves_nothing(company):
    paper = statement_paper()
    since = [Document._base_manager.get(pk=ask(company, paper).pk).current_since for _ in range(2)]
    assert since[0] == since[1]


def test_the_papers_of_other_periods_and_companies_stand_beside_each_other(company):
    paper = statement_paper(period_start=date(2011, 1, 1), period_end=date(2011, 1, 31))
    february = {"period_start": date(2011, 2, 1), "period_end": date(2011, 2, 28)}
    first = ask(company, paper)
    since = Document._base_manager.get(pk=first.pk).current_since
    ask(company, replace(changed(paper, "New name"), **february))
    ask(CompanyFactory.create(), changed(paper, "New name"))
    assert ask(company, paper) == first
    assert Document._base_manager.get(pk=first.pk).current_since == since


def test_the_same_subject_twice_in_a_bulk_is_two_versions(company):
    paper = statement_paper()
    papers = [paper, changed(paper, "New name"), changed(paper, "Newer name")]
    documents = insert_documents(company=company, papers=papers, by=None, queue="batch")
    assert sorted(document.version for document in documents) == [1, 2, 3]


@pytest.mark.parametrize("period", [{}, {"period_start": date(2011, 1, 1)}], ids=["none", "one"])
def test_the_database_refuses_the_same_version_twice(company, period):
    first = DocumentFactory.create(company=company, **period)
    same = {"company": company, "subject_id": first.subject_id, **period}
    DocumentFactory.create(**same, version=2)
    with pytest.raises(IntegrityError, match=r"version|UNIQUE"), transaction.atomic():
        DocumentFactory.create(**same, version=2)


def asked_differently_by_two(company, monkeypatch):
    """Both have seen the same newest version before either inserts."""
    barrier = threading.Barrier(2)
    versions = requests._latest_versions
    seen = threading.local()

    def both_have_looked(*args):
        found = versions(*args)
        if not getattr(seen, "once", False):
            seen.once = True
            barrier.wait(10)
        return found

    monkeypatch.setattr(requests, "_latest_versions", both_have_looked)
    paper = statement_paper()
    return at_once(
        lambda: ask(company, changed(paper, "One")), lambda: ask(company, changed(paper, "Two"))
    )


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_different_facts_are_two_versions(company, monkeypatch):
    results = asked_differently_by_two(company, monkeypatch)
    first, second = sorted(results, key=lambda document: document.version)
    assert [first.version, second.version] == [1, 2]
    second.refresh_from_db()
    assert second.supersedes == first


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_control_without_another_round_one_of_the_two_gets_nothing(company, monkeypatch):
    monkeypatch.setattr(requests, "_ROUNDS", 1)
    results = asked_differently_by_two(company, monkeypatch)
    assert [type(result) for result in results].count(IntegrityError) == 1


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_control_without_the_constraint_both_would_be_the_same_version(company, monkeypatch):
    [numbered] = [it for it in Document._meta.constraints if it.name.startswith("document_version")]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Document, numbered)
    try:
        results = asked_differently_by_two(company, monkeypatch)
        assert [result.version for result in results] == [1, 1]
    finally:
        Document._base_manager.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Document, numbered)


@pytest.mark.django_db(transaction=True)
def test_what_waits_in_a_run_is_made_at_once_for_who_asks_for_it_alone(company, queues):
    paper = statement_paper()
    with transaction.atomic():
        [waiting_one] = insert_documents(
            company=company, papers=[paper], by=None, queue="batch", first_turn=900
        )
    Document.objects.update(held=True)
    assert ask(company, paper, UserFactory.create()) == waiting_one
    assert waiting(queues) == [str(waiting_one.pk)]
    moved = Document.objects.get()
    assert (moved.queue, moved.turn, moved.held) == ("interactive", 0, False)


def test_what_a_worker_of_the_run_took_up_meanwhile_stays_where_it_is(company, monkeypatch):
    paper = statement_paper()
    insert_documents(company=company, papers=[paper], by=None, queue="batch", first_turn=900)
    note = requests._note_wish

    def and_claimed(document, by):
        note(document, by)
        assert Document.claim(document.pk)

    monkeypatch.setattr(requests, "_note_wish", and_claimed)
    ask(company, paper, UserFactory.create())
    found = Document.objects.get()
    assert (found.state, found.queue, found.turn) == ("running", "batch", 900)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_a_run_gave_up_is_made_at_once_for_who_asks_for_it_alone(state, queues):
    document = DocumentFactory.create(state=state, failure="Why.", queue="batch", turn=900)
    assert requests.queue_again(document, at_once=True)
    assert waiting(queues) == [str(document.pk)]
    moved = Document.objects.get()
    assert (moved.queue, moved.turn) == ("interactive", 0)


def test_a_run_does_not_pull_back_what_somebody_waits_for(company):
    paper = statement_paper()
    ask(company, paper)
    insert_documents(company=company, papers=[paper], by=None, queue="batch")
    assert Document.objects.get().queue == "interactive"


def test_each_who_asks_is_remembered_once(company):
    paper, clerks = statement_paper(), UserFactory.create_batch(2)
    for clerk in [*clerks, *clerks]:
        ask(company, paper, clerk)
    wishes = DocumentRequest.objects.for_company(company)
    assert {wish.user_id for wish in wishes} == {clerk.pk for clerk in clerks}
    assert wishes.count() == 2
