"""For whom a run of statements is, and which runs of a period there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Company
from billing.dates import Period
from billing.models import Party
from billing.selectors.statements import Account
from documents.models import Batch, BatchState

STATEMENT_RUN_NAME = "statement"
NO_BALANCE = "zero balance"
NOT_THERE = "no longer there"
# Somebody who starts the same run within this time may not know of the other's.
A_MOMENT = timedelta(minutes=10)


class Who(models.TextChoices):
    MOVED = "moved", "Everybody with movement or a balance"
    BALANCE = "balance", "Only those with a balance at the end"
    ALL = "all", "Every active party, also those with nothing to show"


@dataclass(frozen=True)
class Selection:
    """Which parties a run is for: a rule, and within it the chosen ones only, if any are."""

    who: Who = Who.MOVED
    parties: tuple[UUID, ...] | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Selection":
        chosen = parameters.get("parties")
        return cls(
            Who(parameters.get("who", Who.MOVED)),
            None if chosen is None else tuple(UUID(text) for text in chosen),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        chosen = None if self.parties is None else [str(pk) for pk in self.parties]
        return {"who": str(self.who), "parties": chosen}

    def left_out(self, account: Account) -> str:
        """Why a party gets no statement in such a run; empty if it gets one."""
        if self.who == Who.MOVED or not account.party.is_active:
            return account.left_out
        return NO_BALANCE if self.who == Who.BALANCE and not account.closing else ""


def parties_by_code(company: Company, codes: Iterable[str]) -> dict[str, UUID]:
    """The ids of those that there are, inactive ones too: the run says why they get none."""
    found = Party.all_objects.for_company(company).filter(code__in=list(codes))
    return dict(found.values_list("code", "pk"))


def statement_runs_of(company: Company, period: Period) -> "models.QuerySet[Batch]":
    return Batch.objects.for_company(company).filter(
        kind=STATEMENT_RUN_NAME, period_start=period.start, period_end=period.end
    )


def run_started_lately(company: Company, period: Period) -> Batch | None:
    """The newest run over the period that is under way, or was started a moment ago."""
    under_way = Q(state__in=(BatchState.PLANNING, BatchState.RUNNING))
    runs = statement_runs_of(company, period).exclude(state=BatchState.CANCELLED)
    lately = runs.filter(under_way | Q(created_at__gte=Now() - A_MOMENT))
    return lately.select_related("requested_by").order_by("-created_at").first()
