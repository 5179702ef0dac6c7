"""An endpoint that does not answer: what waits for it rests, until an answer ends the silence."""

from datetime import timedelta

import pytest
from django.utils import timezone

from documents.models import WebhookEndpoint
from documents.services import webhook_http
from tests.documents.test_webhook_sending import attempt, wait_of
from tests.documents.webhook_server import receiver
from tests.factories_of_telling import WebhookDeliveryFactory, WebhookEndpointFactory
from worker.leasing import WorkState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private_is_allowed(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def server():
    with receiver() as running:
        yield running


@pytest.fixture
def endpoint(server):
    return WebhookEndpointFactory.create(url=server.url)


@pytest.fixture
def delivery(endpoint):
    return WebhookDeliveryFactory.create(endpoint=endpoint)


def test_one_that_does_not_answer_lets_what_waits_for_it_rest(server, endpoint, delivery):
    waiting = WebhookDeliveryFactory.create(endpoint=endpoint)
    elsewhere = WebhookDeliveryFactory.create(endpoint__company=endpoint.company)
    server.behave = "cut"
    attempt(delivery)
    waiting.refresh_from_db()
    elsewhere.refresh_from_db()
    assert timedelta(seconds=50) < wait_of(waiting) <= timedelta(seconds=60)
    assert wait_of(elsewhere) < timedelta(0)
    assert wait_of(delivery) < timedelta(seconds=10)
    server.behave = "200"
    attempt(delivery)
    endpoint.refresh_from_db()
    assert endpoint.silent_since is None


def test_an_answer_ends_a_silence_that_was_noted_since_it_was_asked_for(
    server, endpoint, delivery, monkeypatch
):
    """Another sender ran into its timeout meanwhile."""
    answered = webhook_http.post

    def meanwhile(*arguments):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(silent_since=timezone.now())
        return answered(*arguments)

    monkeypatch.setattr(webhook_http, "post", meanwhile)
    attempt(delivery)
    endpoint.refresh_from_db()
    assert (delivery.state, endpoint.silent_since) == (WorkState.DONE, None)


def test_a_silence_counts_from_now_where_somebody_was_answered_meanwhile(
    server, endpoint, delivery, monkeypatch
):
    long_ago = timezone.now() - timedelta(days=2)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(silent_since=long_ago)
    waiting = WebhookDeliveryFactory.create(endpoint=endpoint)
    answered = webhook_http.post

    def meanwhile(*arguments):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(silent_since=None)
        return answered(*arguments)

    monkeypatch.setattr(webhook_http, "post", meanwhile)
    server.behave = "cut"
    attempt(delivery)
    waiting.refresh_from_db()
    endpoint.refresh_from_db()
    assert endpoint.silent_since > timezone.now() - timedelta(minutes=1)
    assert wait_of(waiting) <= timedelta(seconds=60)


def test_what_waited_for_days_for_a_silent_endpoint_is_given_up(server, endpoint, delivery):
    old = WebhookDeliveryFactory.create(
        endpoint=endpoint, created_at=timezone.now() - timedelta(days=5)
    )
    server.behave = "cut"
    attempt(delivery)
    old.refresh_from_db()
    assert old.state == WorkState.FAILED
