"""Who is told what became of a document or a run, and how often."""

import pytest
from django.db import connection, transaction

from accounts.models import Membership, Role
from documents.models import (
    BatchState,
    Document,
    DocumentState,
    Event,
    MailChoice,
    Notification,
    NotificationChoice,
    NotificationMail,
)
from documents.services.notifications import (
    notify_of_batches,
    notify_of_damage,
    notify_of_documents,
)
from documents.services.outcomes import announce_finished
from documents.services.requests import queue_again
from tests.factories import (
    BatchFactory,
    BatchItemFactory,
    BatchJobFactory,
    CompanyFactory,
    DocumentFactory,
    member,
)
from tests.factories_of_telling import DocumentRequestFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return CompanyFactory.create()


@pytest.fixture
def clerk(company):
    return member(Role.CLERK, company=company).user


def asked_for(user, company, **state):
    document = DocumentFactory.create(company=company, **state)
    DocumentRequestFactory.create(document=document, user=user)
    return document


def told() -> list[Notification]:
    return list(Notification.objects.order_by("created_at"))


def test_everyone_who_asked_is_told_once(company, clerk):
    colleague = member(Role.VIEWER, company=company).user
    member(Role.OWNER, company=company)
    document = asked_for(clerk, company, ready=True)
    DocumentRequestFactory.create(document=document, user=colleague)
    announce_finished()
    announce_finished()
    assert {row.user for row in told()} == {clerk, colleague}
    assert {(row.event, row.title, row.detail, row.url) for row in told()} == {
        (Event.DOCUMENT_READY, document.title, "2 pages", document.get_absolute_url())
    }
    assert len(told()) == 2


def test_the_same_outcome_announced_twice_is_told_once(company, clerk):
    document = asked_for(clerk, company, ready=True)
    for _ in range(2):
        with transaction.atomic():
            notify_of_documents([document])
    assert len(told()) == 1


def test_a_failure_is_told_with_its_reason_and_again_after_another(company, clerk):
    document = asked_for(clerk, company, failed=True)
    announce_finished()
    assert queue_again(Document.objects.get(pk=document.pk))
    Document.objects.filter(pk=document.pk).update(
        state=DocumentState.FAILED, failure="Another reason."
    )
    announce_finished()
    assert [(row.event, row.detail, row.occurrence) for row in told()] == [
        (Event.DOCUMENT_FAILED, "A character of the name can't be printed.", 1),
        (Event.DOCUMENT_FAILED, "Another reason.", 2),
    ]


def test_papers_of_a_run_and_strangers_are_no_news(company, clerk):
    document = DocumentFactory.create(company=company, ready=True, requested_by=clerk)
    BatchItemFactory.create(batch__company=company, document=document)
    asked_for(clerk, CompanyFactory.create(), ready=True)  # who was never a member there
    announce_finished()
    assert told() == []


def test_who_left_the_company_is_not_told(company, clerk):
    asked_for(clerk, company, ready=True)
    BatchFactory.create(company=company, requested_by=clerk, state=BatchState.DONE)
    Membership.objects.filter(user=clerk).delete()
    announce_finished()
    assert told() == []


def test_who_is_switched_off_is_not_told(company, clerk):
    asked_for(clerk, company, ready=True)
    BatchFactory.create(company=company, requested_by=clerk, state=BatchState.DONE)
    clerk.is_active = False
    clerk.save()
    announce_finished()
    assert told() == []


def test_an_endless_reason_is_cut(company, clerk):
    document = asked_for(clerk, company, failed=True)
    document.failure = "x" * 5000
    notify_of_documents([document])
    assert len(told()[0].detail) == 300


def test_a_finished_run_is_told_with_its_counts(company, clerk):
    batch = BatchFactory.create(company=company, requested_by=clerk, state=BatchState.DONE)
    for state in ({"ready": True}, {"ready": True}, {"failed": True}):
        BatchItemFactory.create(
            batch=batch, document=DocumentFactory.create(company=company, **state)
        )
    BatchItemFactory.create(batch=batch, document=None, skipped_reason="No movement.")
    announce_finished()
    [row] = told()
    assert (row.event, row.detail) == (Event.RUN_FINISHED, "2 ready, 1 failed, 1 skipped")
    assert (row.user, row.url) == (clerk, batch.get_absolute_url())


def test_the_counts_of_many_runs_take_no_more_queries(
    company, clerk, django_assert_max_num_queries
):
    batches = BatchFactory.create_batch(
        8, company=company, requested_by=clerk, state=BatchState.DONE
    )
    for batch in batches:
        BatchItemFactory.create_batch(2, batch=batch)
    with django_assert_max_num_queries(6):
        notify_of_batches(batches)
    assert len(told()) == 8


def test_a_run_that_could_not_be_planned_is_told_with_the_reason(company, clerk):
    batch = BatchFactory.create(company=company, requested_by=clerk, state=BatchState.CANCELLED)
    BatchJobFactory.create(batch=batch, state="failed", failure="The books are closed.")
    announce_finished()
    assert [(row.event, row.detail) for row in told()] == [
        (Event.RUN_FAILED, "The books are closed.")
    ]


def test_a_run_that_a_person_cancelled_is_no_news(company, clerk):
    BatchFactory.create(company=company, requested_by=clerk, state=BatchState.CANCELLED)
    announce_finished()
    assert told() == []


def test_damage_is_told_to_owners_each_time_that_more_is_found(company, clerk):
    owner = member(Role.OWNER, company=company).user
    member(Role.OWNER)
    for count in (2, 5000):
        notify_of_damage(company, count)
    assert {(row.user, row.event) for row in told()} == {(owner, Event.ARCHIVE_DAMAGED)}
    assert {row.title.split(" are")[0] for row in told()} == {"2 files", "5000 files"}


@pytest.mark.parametrize("choice", MailChoice.values)
def test_what_was_chosen_when_it_happened_holds(company, clerk, choice):
    chosen = NotificationChoice.objects.create(user=clerk, company=company, documents=choice)
    asked_for(clerk, company, ready=True)
    announce_finished()
    chosen.documents = MailChoice.EACH
    chosen.save()
    announce_finished()
    [row] = told()
    assert row.mail == choice
    assert NotificationMail.objects.count() == (1 if choice == MailChoice.EACH else 0)


def test_runs_and_documents_are_chosen_apart(company, clerk):
    NotificationChoice.objects.create(
        user=clerk, company=company, documents=MailChoice.EACH, runs=MailChoice.DIGEST
    )
    NotificationChoice.objects.create(  # of another company: has no say here
        user=clerk, company=CompanyFactory.create(), documents=MailChoice.NONE
    )
    asked_for(clerk, company, ready=True)
    BatchFactory.create(company=company, requested_by=clerk, state=BatchState.DONE)
    announce_finished()
    assert {row.event: row.mail for row in told()} == {
        Event.DOCUMENT_READY: MailChoice.EACH,
        Event.RUN_FINISHED: MailChoice.DIGEST,
    }


def test_an_outcome_announced_twice_is_mailed_once(company, clerk):
    NotificationChoice.objects.create(user=clerk, company=company, documents=MailChoice.EACH)
    document = asked_for(clerk, company, ready=True)
    notify_of_documents([document])
    notify_of_documents([document])
    assert NotificationMail.objects.count() == 1


def test_two_hundred_documents_take_few_queries(company, django_assert_max_num_queries):
    users = [member(Role.CLERK, company=company).user for _ in range(4)]
    documents = [DocumentFactory.create(company=company, failed=True) for _ in range(50)]
    for user in users:
        NotificationChoice.objects.create(user=user, company=company, documents=MailChoice.EACH)
        for document in documents:
            DocumentRequestFactory.create(document=document, user=user)
    # SQLite takes fewer values a statement.
    with django_assert_max_num_queries(5 if connection.vendor == "postgresql" else 15):
        notify_of_documents(documents)
    assert Notification.objects.count() == NotificationMail.objects.count() == 200
