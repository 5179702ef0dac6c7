"""How long the law wants a party's records kept, and which of them are older."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, TruncDate

from accounts.models import Company
from billing.dates import today
from billing.models import Challan, Invoice, InvoiceState, Party, Payment, Return
from documents.models import Document, DocumentState


@dataclass(frozen=True)
class Held:
    """So many records of a sort, kept until the last of them may go."""

    label: str
    count: int
    until: date


def kept_until(company: Company, day: date) -> date:
    """The last day on which what is dated `day` must be there: its fiscal year's end, and then
    RETENTION_YEARS.
    """
    return _next_year(company, day, settings.RETENTION_YEARS) - timedelta(days=1)


def first_kept_day(company: Company) -> date:
    """What is dated before this day may go."""
    return _next_year(company, today(company), -settings.RETENTION_YEARS - 1)


def _next_year(company: Company, day: date, years: int) -> date:
    """The first day of the fiscal year after the one of `day`, so many years on."""
    begins = day.year if day.month >= company.fiscal_year_start_month else day.year - 1
    return date(max(begins + 1 + years, 1), company.fiscal_year_start_month, 1)


def held_records(party: Party) -> list[Held]:
    """What of a party's records the law still wants."""
    first, company = first_kept_day(party.company), party.company
    issued = Invoice.all_objects.for_company(company).exclude(state=InvoiceState.DRAFT)
    sources = (
        ("issued invoices", issued, "invoice_date"),
        ("payments", Payment.all_objects.for_company(company), "payment_date"),
        ("returns", Return.all_objects.for_company(company), "return_date"),
        ("challans", Challan.all_objects.for_company(company), "challan_date"),
    )
    found = []
    for label, rows, day in sources:
        of_party = rows.filter(party=party, **{f"{day}__gte": first}).order_by()
        counted = of_party.aggregate(count=models.Count("pk"), last=models.Max(day))
        if counted["count"]:
            until = kept_until(company, counted["last"])
            found.append(Held(label, counted["count"], until))
    return [*found, *_held_papers(party, first)]


def _held_papers(party: Party, first: date) -> list[Held]:
    kept = _dated_papers(party).filter(day__gte=first).order_by()
    counted = kept.aggregate(count=models.Count("pk"), last=models.Max("day"))
    if not counted["count"]:
        return []
    return [Held("papers", counted["count"], kept_until(party.company, counted["last"]))]


def expired_papers(party: Party) -> "models.QuerySet[Document]":
    """Papers of a day that the law no longer asks about. One without a period is dated by when it
    was asked for, which is never before the facts on it.
    """
    return _dated_papers(party).filter(day__lt=first_kept_day(party.company))


def _dated_papers(party: Party) -> "models.QuerySet[Any]":
    papers = Document.objects.for_company(party.company).filter(
        recipient_id=party.pk, state=DocumentState.READY
    )
    return papers.annotate(day=Coalesce("period_end", TruncDate("created_at")))
