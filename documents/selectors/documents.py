"""What pages read about documents. Each takes the company whose rows it may see."""

from uuid import UUID

from django.db import models

from accounts.models import Company
from documents.models import Batch, Document

# What a row of a list shows. The snapshot, which is large, stays where it is.
_LISTED = (
    "company_id",
    "state",
    "held",
    "failure",
    "kind",
    "title",
    "version",
    "recipient_code",
    "recipient_name",
    "period_start",
    "period_end",
    "amount",
    "currency",
    "size",
    "created_at",
    "requested_by__name",
    "requested_by__email",
)


def listed_documents(company: Company) -> "models.QuerySet[Document]":
    return Document.objects.for_company(company).select_related("requested_by").only(*_LISTED)


def all_documents(company: Company) -> "models.QuerySet[Document]":
    return Document.objects.for_company(company)


def document_with_requester(company: Company, pk: UUID) -> Document | None:
    return all_documents(company).select_related("requested_by").filter(pk=pk).first()


def versions_of(company: Company, document: Document) -> list[Document]:
    """Every version of the same paper, the newest first."""
    return list(
        all_documents(company)
        .filter(
            kind=document.kind,
            subject_id=document.subject_id,
            period_start=document.period_start,
            period_end=document.period_end,
        )
        .only("company_id", "state", "held", "version", "created_at", "sha256", "title")
        .order_by("-version")[:50]
    )


def runs_of(company: Company, document: Document) -> list[Batch]:
    """The runs that this paper belongs to."""
    return list(
        Batch.objects.for_company(company)
        .filter(items__document=document)
        .order_by("-created_at")[:20]
    )
