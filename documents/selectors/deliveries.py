"""What pages read about e-mails to parties."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db import models

from accounts.models import Company
from documents.models import Batch, Delivery, DeliveryState

# What a row of a list shows. The text of the message stays where it is.
_LONG = ("body", "failure_detail")


def all_deliveries(company: Company) -> "models.QuerySet[Delivery]":
    return Delivery.objects.for_company(company)


def listed_deliveries(company: Company) -> "models.QuerySet[Delivery]":
    return (
        all_deliveries(company)
        .select_related("document", "batch", "requested_by")
        .defer(*_LONG, "document__snapshot", "document__failure_detail", "batch__parameters")
    )


def delivery_with_paper(company: Company, pk: UUID) -> Delivery | None:
    related = all_deliveries(company).select_related("document", "batch", "requested_by")
    return related.defer("document__snapshot", "batch__parameters").filter(pk=pk).first()


def deliveries_of(document_ids: Collection[UUID]) -> dict[UUID, list[Delivery]]:
    """The deliveries of documents that were read for their company, the newest first."""
    rows = (
        Delivery.objects.across_companies()
        .filter(document__in=document_ids)
        .defer(*_LONG)
        .order_by("-created_at", "pk")
    )
    found: defaultdict[UUID, list[Delivery]] = defaultdict(list)
    for row in rows:
        found[row.document_id].append(row)
    return found


def counts_of(batch: Batch) -> dict[str, int]:
    """How many e-mails of a run's papers are in each state, whoever asked for them.

    A paper that an earlier run made and sent already counts as sent.
    """
    counts = dict.fromkeys(DeliveryState.values, 0)
    mine = models.Exists(batch.items.filter(document=models.OuterRef("document")).order_by())
    rows = Delivery.objects.for_company(batch.company_id).filter(mine)
    for state, count in rows.values_list("state").annotate(models.Count("pk")).order_by():
        counts[state] = count
    return counts


def count_undecided(company: Company) -> int:
    """How many e-mails have perhaps arrived, and wait for somebody to say."""
    return all_deliveries(company).filter(state=DeliveryState.UNKNOWN).count()
