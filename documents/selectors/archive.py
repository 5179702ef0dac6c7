"""The state of the archive, as far as a company's own papers go."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models

from accounts.models import Company
from documents.models import ArchiveSweep, Document
from worker.leasing import WorkState

_OPEN = (WorkState.QUEUED, WorkState.RUNNING)


@dataclass(frozen=True)
class SweepTimes:
    """When every file was last looked at, and whether they are being looked at now.

    What a sweep counts is about all companies, and not shown to any.
    """

    last: datetime | None
    is_under_way: bool


def sweep_times() -> SweepTimes:
    is_open = models.Q(state__in=_OPEN, stage=ArchiveSweep.Stage.DOCUMENTS)
    found = ArchiveSweep.objects.aggregate(
        last=models.Max("told_at"), open=models.Count("pk", filter=is_open)
    )
    return SweepTimes(last=found["last"], is_under_way=found["open"] > 0)


def damaged_documents(company: Company) -> "models.QuerySet[Document]":
    return (
        Document.objects.for_company(company)
        .exclude(damage="")
        .only(
            "company_id",
            "title",
            "version",
            "kind",
            "recipient_code",
            "recipient_name",
            "damage",
            "damaged_at",
            "checked_at",
            "created_at",
            "sha256",
        )
    )
