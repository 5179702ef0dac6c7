"""What pages read about webhooks."""

from uuid import UUID

from django.db import models

from accounts.models import Company
from documents.models import WebhookDelivery, WebhookEndpoint


def endpoints_of(company: Company) -> "models.QuerySet[WebhookEndpoint]":
    return WebhookEndpoint.objects.for_company(company)


def listed_endpoints(company: Company) -> "models.QuerySet[WebhookEndpoint]":
    """With the state and the time of what was sent to each last."""
    last = WebhookDelivery.objects.filter(endpoint=models.OuterRef("pk")).order_by("-created_at")
    return (
        endpoints_of(company)
        .annotate(
            last_state=models.Subquery(last.values("state")[:1]),
            last_at=models.Subquery(last.values("created_at")[:1]),
        )
        .order_by("created_at")
    )


def deliveries_to(endpoint: WebhookEndpoint) -> "models.QuerySet[WebhookDelivery]":
    return WebhookDelivery.objects.for_company(endpoint.company_id).filter(endpoint=endpoint)


def delivery_of(company: Company, pk: UUID) -> WebhookDelivery | None:
    rows = WebhookDelivery.objects.for_company(company).select_related("endpoint")
    return rows.filter(pk=pk).first()


def replays_of(delivery: WebhookDelivery) -> list[WebhookDelivery]:
    """Every sending of the same message but this one, the newest first."""
    original = delivery.replay_of_id or delivery.pk
    same = models.Q(pk=original) | models.Q(replay_of=original)
    rows = WebhookDelivery.objects.for_company(delivery.company_id).filter(same)
    return list(rows.exclude(pk=delivery.pk).defer("payload").order_by("-created_at")[:20])
