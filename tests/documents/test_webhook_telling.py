"""Which endpoints are told what, once each, and what the message says."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.models import Role
from documents.models import BatchState, DocumentState, WebhookDelivery
from documents.services.outcomes import announce_finished
from documents.services.webhook_endpoints import (
    add_endpoint,
    disable_endpoint,
    replay,
    send_test,
)
from documents.services.webhooks import tell_of_batches, tell_of_documents
from tests.factories import (
    BatchFactory,
    BatchItemFactory,
    BatchJobFactory,
    CompanyFactory,
    DocumentFactory,
    member,
)
from tests.factories_of_telling import WebhookDeliveryFactory, WebhookEndpointFactory
from worker.leasing import WorkState

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return CompanyFactory.create()


@pytest.fixture
def owner(company):
    return member(Role.OWNER, company=company).user


def deliveries():
    return list(WebhookDelivery.objects.order_by("created_at"))


def test_endpoints_are_told_what_they_want_and_no_others(company):
    wants = WebhookEndpointFactory.create(company=company, events=["document.ready"])
    WebhookEndpointFactory.create(company=company, events=["document.failed", "run.finished"])
    WebhookEndpointFactory.create(company=company, is_enabled=False)
    WebhookEndpointFactory.create()  # of another company
    document = DocumentFactory.create(company=company, ready=True)
    DocumentFactory.create(company=company, state=DocumentState.CANCELLED)
    announce_finished()
    announce_finished()
    [delivery] = deliveries()
    assert (delivery.endpoint, delivery.event) == (wants, "document.ready")
    assert (delivery.subject_id, delivery.company) == (document.pk, company)
    assert (delivery.queue, delivery.max_attempts) == ("mail", 10)


def test_a_ready_document_is_told_with_its_file_and_no_more_of_the_party_than_its_title(
    company, settings
):
    WebhookEndpointFactory.create(company=company)
    document = DocumentFactory.create(
        company=company, ready=True, title="Statement", recipient_name="Ann Private"
    )
    announce_finished()
    [delivery] = deliveries()
    data = delivery.payload["data"]
    assert delivery.payload["type"] == "document.ready"
    assert delivery.payload["timestamp"] == document.finished_at.isoformat()
    assert data["id"] == str(document.pk)
    assert (data["sha256"], data["size"], data["pages"]) == (
        document.sha256,
        document.size,
        document.pages,
    )
    assert data["url"] == settings.SITE_URL + document.get_absolute_url()
    assert "Ann Private" not in json.dumps(delivery.payload)
    assert "1234.5" not in json.dumps(delivery.payload)


def test_a_failed_document_is_told_with_its_reason(company):
    WebhookEndpointFactory.create(company=company, events=["document.failed"])
    document = DocumentFactory.create(company=company, failed=True)
    announce_finished()
    [delivery] = deliveries()
    assert delivery.payload["data"]["reason"] == document.failure
    assert "sha256" not in delivery.payload["data"]


def test_a_run_is_told_with_its_counts(company):
    WebhookEndpointFactory.create(company=company)
    batch = BatchFactory.create(company=company, state=BatchState.DONE)
    BatchItemFactory.create(
        batch=batch, document=DocumentFactory.create(company=company, ready=True)
    )
    BatchItemFactory.create(batch=batch, document=None, skipped_reason="No movement.")
    BatchFactory.create(company=company, state=BatchState.DONE)  # of nobody
    tell_of_batches([batch])
    [delivery] = deliveries()
    assert delivery.payload["data"]["counts"] == {"ready": 1, "failed": 0, "skipped": 1}


def test_a_run_that_could_not_be_planned_is_told_and_a_cancelled_one_is_not(company):
    WebhookEndpointFactory.create(company=company, events=["run.failed", "run.finished"])
    failed = BatchFactory.create(company=company, state=BatchState.CANCELLED)
    BatchJobFactory.create(batch=failed, state="failed", failure="The books are closed.")
    BatchFactory.create(company=company, state=BatchState.CANCELLED)
    announce_finished()
    [delivery] = deliveries()
    assert (delivery.event, delivery.subject_id) == ("run.failed", failed.pk)
    assert delivery.payload["data"]["reason"] == "The books are closed."


def test_the_same_outcome_is_told_once_and_the_next_again(company):
    WebhookEndpointFactory.create(company=company)
    document = DocumentFactory.create(company=company, ready=True, occurrence=1)
    for _ in range(2):
        with transaction.atomic():
            tell_of_documents([document])
    assert len(deliveries()) == 1
    document.occurrence = 2
    tell_of_documents([document])
    assert len(deliveries()) == 2


def test_many_documents_and_endpoints_take_two_queries(company, django_assert_max_num_queries):
    WebhookEndpointFactory.create_batch(3, company=company)
    documents = DocumentFactory.create_batch(60, company=company, ready=True)
    # Endpoints, INSERT; SQLite takes fewer values a statement.
    with django_assert_max_num_queries(2 if connection.vendor == "postgresql" else 10):
        tell_of_documents(documents)
    assert len(deliveries()) == 180


def test_a_replay_is_the_same_message_under_the_same_id(company, owner):
    endpoint = WebhookEndpointFactory.create(company=company)
    first = WebhookDeliveryFactory.create(endpoint=endpoint, state=WorkState.DONE, attempts=3)
    second = replay(delivery=first, by=owner)
    WebhookDelivery.objects.filter(pk=second.pk).update(state=WorkState.DONE)
    second.refresh_from_db()
    third = replay(delivery=second, by=owner)
    assert first.message_id == second.message_id == third.message_id
    assert second.payload == first.payload
    assert (second.attempts, third.replay_of) == (0, first)


def test_what_is_on_its_way_or_whose_endpoint_is_off_is_not_replayed(company, owner):
    endpoint = WebhookEndpointFactory.create(company=company)
    delivery = WebhookDeliveryFactory.create(endpoint=endpoint)
    with pytest.raises(ValidationError):
        replay(delivery=delivery, by=owner)
    disable_endpoint(endpoint=endpoint, reason="Off.", by=owner)
    delivery.refresh_from_db()
    delivery.endpoint.refresh_from_db()
    assert delivery.state == WorkState.CANCELLED
    with pytest.raises(ValidationError):
        replay(delivery=delivery, by=owner)


def test_a_test_says_nothing_but_that_it_is_one(company):
    endpoint = WebhookEndpointFactory.create(company=company)
    sent = [send_test(endpoint=endpoint) for _ in range(2)]
    assert {row.payload["type"] for row in sent} == {"webhook.test"}
    assert len({row.message_id for row in sent}) == 2


def test_a_company_has_no_endless_number_of_endpoints(company, owner, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    WebhookEndpointFactory.create_batch(20, company=company)
    with pytest.raises(ValidationError, match="the most"):
        add_endpoint(
            company=company,
            pk=WebhookEndpointFactory.build().pk,
            url="http://127.0.0.1:1/",
            events=["run.finished"],
            description="",
            by=owner,
        )
