"""Recomputing balances: begun on the page of balances, followed and applied on its own page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from accounts.access import CompanyRequest
from accounts.models import Company, Role
from billing.models import Recomputation, RecomputationMode, RecomputationState
from billing.selectors.recomputations import (
    ChunkProgress,
    drifts_of,
    listed_recomputations,
    progress_of,
    recomputation_page_rows,
)
from billing.services.recomputing import Started, cancel_recomputation, start_recomputation
from billing.tables.recomputations import DriftTable, RecomputationTable
from billing.views.shared import ActionView, PageMixin
from documents.selectors import Edge, by_column, newest_first
from documents.views.live import LiveView

RUNS_PAGE_SIZE = 30
DRIFTS_PAGE_SIZE = 100


def _runs(company: Company) -> "models.QuerySet[Recomputation]":
    return Recomputation.objects.for_company(company)


class RecomputeView(PageMixin):
    """Begins a report, or leads to the run that is open."""

    http_method_names = ["post", "options"]
    required_role = Role.ACCOUNTANT

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        started = start_recomputation(
            company=request.company, mode=RecomputationMode.REPORT, by=request.user
        )
        return _lead_to(request, started)


class RecomputationApplyView(ActionView):
    """Begins a run that corrects the drifting parties of a report."""

    required_role = Role.ACCOUNTANT
    rows = staticmethod(_runs)

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        try:
            started = start_recomputation(
                company=request.company,
                mode=RecomputationMode.APPLY,
                by=request.user,
                corrects=self.record,
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(self.record.get_absolute_url())
        return _lead_to(request, started)


class RecomputationCancelView(ActionView):
    required_role = Role.ACCOUNTANT
    rows = staticmethod(_runs)

    def act(self, record: Recomputation) -> str:
        cancel_recomputation(run=record)
        return f"{record} is cancelled."


def _lead_to(request: CompanyRequest, started: Started) -> HttpResponse:
    if not started.is_new:
        messages.info(request, f"{started.run} is running already: here it is.")
    return redirect(started.run.get_absolute_url())


class RecomputationListView(LiveView):
    template_name = "billing/balances/recomputations.html"
    parts = {"results": "documents/parts/results.html"}
    live_name = "billing:recomputations_progress"
    section = "balances"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        company = request.company
        page = newest_first(
            listed_recomputations(company),
            all_rows=_runs(company),
            edge=Edge.of(request.GET),
            size=RUNS_PAGE_SIZE,
        )
        moving = [run for run in page.rows if not run.is_final]
        progress = progress_of(moving) if moving else {}
        return {
            "page": page,
            "table": RecomputationTable(page.rows, company=company, progress=progress),
            "empty": "billing/balances/no_recomputations.html",
            "may_correct": request.membership.may_act_as(Role.ACCOUNTANT),
            "is_final": not moving,
        }


class RecomputationView(LiveView):
    template_name = "billing/balances/recompute.html"
    parts = {
        "progress": "billing/balances/recompute_progress.html",
        "results": "documents/parts/results.html",
    }
    live_name = "billing:recomputation_progress"
    section = "balances"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        company = request.company
        run = recomputation_page_rows(company).filter(pk=kwargs["pk"]).first()
        if run is None:
            raise Http404("No such recomputation.")
        drifts = drifts_of(run)
        page = by_column(
            drifts,
            all_rows=drifts,
            column="party__code",
            descending=False,
            edge=Edge.of(request.GET),
            size=DRIFTS_PAGE_SIZE,
        )
        progress = progress_of([run]).get(run.pk) or ChunkProgress()
        may_correct = request.membership.may_act_as(Role.ACCOUNTANT)
        return {
            "run": run,
            "progress": progress,
            "time_left": progress.time_left(run),
            "idle_for": None if run.is_final else progress.idle_for(run),
            "live_title": _title(run, progress),
            "news": f"{run} is {run.get_state_display()}: {run.drifting} drifting.",
            "page": page,
            "table": DriftTable(page.rows, company=company),
            "empty": "billing/balances/no_drifts.html",
            "may_correct": may_correct,
            "may_apply": may_correct and _is_applicable(run),
            "is_final": run.is_final,
        }


def _is_applicable(run: Recomputation) -> bool:
    return bool(run.state == RecomputationState.DONE and not run.applies and run.drifting)


def _title(run: Recomputation, progress: ChunkProgress) -> str:
    return str(run) if run.is_final else f"{progress.percent} % · {run}"
