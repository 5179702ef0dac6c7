"""Rows about telling: who asked, notifications, endpoints and what is sent to them."""

from uuid import uuid4

import factory
from factory.django import DjangoModelFactory

from documents.models import (
    DocumentRequest,
    Event,
    Notification,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.factories import CompanyFactory, DocumentFactory, UserFactory

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class DocumentRequestFactory(DjangoModelFactory[DocumentRequest]):
    class Meta:
        model = DocumentRequest

    document = factory.SubFactory(DocumentFactory)
    company = factory.SelfAttribute("document.company")
    user = factory.SubFactory(UserFactory)


class NotificationFactory(DjangoModelFactory[Notification]):
    class Meta:
        model = Notification

    company = factory.SubFactory(CompanyFactory)
    user = factory.SubFactory(UserFactory)
    event = Event.DOCUMENT_READY
    subject_id = factory.LazyFunction(uuid4)
    title = factory.Sequence(lambda number: f"Statement {number}")
    detail = "2 pages"
    url = factory.LazyAttribute(lambda made: f"/documents/{made.subject_id}/")


class WebhookEndpointFactory(DjangoModelFactory[WebhookEndpoint]):
    class Meta:
        model = WebhookEndpoint

    company = factory.SubFactory(CompanyFactory)
    url = "https://hooks.example/pressroom"
    secret = SECRET
    events = factory.LazyFunction(lambda: ["document.ready", "run.finished"])


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    class Meta:
        model = WebhookDelivery

    endpoint = factory.SubFactory(WebhookEndpointFactory)
    company = factory.SelfAttribute("endpoint.company")
    event = Event.DOCUMENT_READY
    subject_id = factory.LazyFunction(uuid4)
    queue = "mail"
    payload = factory.LazyAttribute(
        lambda made: {
            "type": made.event,
            "timestamp": "2026-11-22T10:00:00+00:00",
            "data": {"id": str(made.subject_id), "title": "Statement Ærø"},
        }
    )
