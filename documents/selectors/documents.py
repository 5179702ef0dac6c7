"""What pages read about documents. Each takes the company whose rows it may see."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Coalesce, RowNumber

from accounts.models import Company, User
from documents.models import Batch, Document, DocumentRequest, DocumentState
from documents.models.documents import NO_DAY

# What a row of a list shows. The snapshot, which is large, stays where it is.
_LISTED = (
    "company_id",
    "state",
    "held",
    "queue",
    "failure",
    "kind",
    "title",
    "version",
    "recipient_id",
    "recipient_code",
    "recipient_name",
    "period_start",
    "period_end",
    "amount",
    "currency",
    "pages",
    "size",
    "sha256",
    "damage",
    "cleared_at",
    "created_at",
    "requested_by__name",
    "requested_by__email",
)
_OF_A_VERSION = (
    "company_id",
    "state",
    "held",
    "version",
    "created_at",
    "current_since",
    "sha256",
    "title",
)


def listed_documents(company: Company) -> "models.QuerySet[Document]":
    """`is_superseded` says of each whether another version of its paper stands now."""
    return (
        Document.objects.for_company(company)
        .select_related("requested_by")
        .only(*_LISTED)
        .annotate(is_superseded=models.Exists(standing_instead()))
    )


def all_documents(company: Company) -> "models.QuerySet[Document]":
    return Document.objects.for_company(company)


def document_with_requester(company: Company, pk: UUID) -> Document | None:
    return all_documents(company).select_related("requested_by").filter(pk=pk).first()


def document_with_facts(company: Company, pk: UUID) -> Document | None:
    """With the snapshot, which every other read leaves where it is."""
    return all_documents(company).defer(None).filter(pk=pk).first()


def standing_instead() -> "models.QuerySet[Document]":
    """For a subquery: the versions of the outer document's paper that stand instead of it.

    Facts may go back to what they were: the version that was asked for last stands, not the newest.
    """
    later = models.Q(current_since__gt=models.OuterRef("current_since")) | models.Q(
        current_since=models.OuterRef("current_since"), version__gt=models.OuterRef("version")
    )
    others = Document.objects.filter(
        later,
        company=models.OuterRef("company"),
        kind=models.OuterRef("kind"),
        subject_id=models.OuterRef("subject_id"),
    )
    for day in ("period_start", "period_end"):
        others = others.alias(**{f"its_{day}": Coalesce(day, NO_DAY)}).filter(
            **{f"its_{day}": Coalesce(models.OuterRef(day), NO_DAY)}
        )
    return others


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
        .only(*_OF_A_VERSION)
        .order_by("-version")[:50]
    )


def standing_of(versions: Iterable[Document]) -> Document:
    """Of the versions of one paper the one whose facts were asked for last."""
    return max(versions, key=lambda version: (version.current_since, version.version))


def runs_of(company: Company, document: Document) -> list[Batch]:
    """The runs that this paper belongs to."""
    return list(
        Batch.objects.for_company(company)
        .filter(items__document=document)
        .order_by("-created_at")[:20]
    )


def askers_of(company: Company, document: Document) -> list[User]:
    """Who else asked for this very paper, after the first."""
    wishes = DocumentRequest.objects.for_company(company).filter(document=document)
    others = wishes.exclude(user=document.requested_by_id).select_related("user")
    return [wish.user for wish in others.order_by("created_at")[:20]]


def wished_by(company: Company, user: User) -> "models.QuerySet[Any]":
    """For a subquery: the ids of what a person asked for, alone or in a run."""
    asked = all_documents(company).filter(requested_by=user).values("pk")
    joined = DocumentRequest.objects.for_company(company).filter(user=user)
    return asked.union(joined.values("document_id"), all=True)


def places_in_queue(documents: Iterable[Document]) -> dict[UUID, int]:
    """How many papers come before each of `documents` that waits; of whichever company they are.

    One statement, which walks the index of what waits once.
    """
    waiting = [it for it in documents if it.state == DocumentState.QUEUED and not it.held]
    if not waiting:
        return {}
    place = models.Window(
        RowNumber(), partition_by="queue", order_by=["turn", "created_at"]
    ) - models.Value(1)
    ids = [document.pk for document in waiting]
    rows = (
        Document.objects.across_companies()
        .filter(
            state=DocumentState.QUEUED,
            held=False,
            queue__in={document.queue for document in waiting},
        )
        # The place is counted over all that wait: a plain filter by id would narrow that as well.
        .annotate(place=models.Case(models.When(pk__in=ids, then=place), default=models.Value(-1)))
        .filter(place__gte=0)
    )
    return dict(rows.values_list("pk", "place"))
