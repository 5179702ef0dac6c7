"""A run of statements: for when and whom, what it would make, and start.

The dry run is a page that anybody of the office may look at and pass on by its address; starting
the run, and closing the books for it, is an accountant's.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.dates import Period, today
from billing.forms.shared import token_of
from billing.forms.statement_runs import StatementRunForm
from billing.kinds import STATEMENT
from billing.selectors.dry_run import (
    INCLUDED,
    LEFT_OUT,
    MADE,
    NO_EMAIL,
    DryRun,
    page_of_accounts,
    read_dry_run,
)
from billing.selectors.statement_runs import run_started_lately
from billing.selectors.statements import Account
from billing.services.periods import close_books_through
from billing.services.statement_runs import (
    Earlier,
    StartedAlready,
    earlier_statements,
    start_statement_run,
)
from billing.views.shared import PageMixin
from documents.models import Batch
from documents.selectors import Edge
from documents.selectors.pace import Pace, pace_of, papers_before

PAGE_SIZE = 100
_PARTS = {
    INCLUDED: "Get one",
    LEFT_OUT: "Left out",
    NO_EMAIL: "No e-mail address",
    MADE: "Have one already",
}


@dataclass(frozen=True)
class Row:
    """A party on the page; `reason` says why it gets no statement."""

    account: Account
    reason: str
    earlier: Earlier | None


@dataclass(frozen=True)
class Estimate:
    """How long the run would take; `is_most` where some of its papers may be there already."""

    pace: Pace | None
    time: timedelta
    before: int
    is_most: bool


class StatementRunView(PageMixin):
    """Step 1: the period, who, and whether to e-mail."""

    http_method_names = ["get", "head", "options"]
    section = "runs"
    required_role = Role.CLERK

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = StatementRunForm(request.GET if request.GET else None, company=request.company)
        return _first_step(self, form)


class _OfOneRun(PageMixin):
    """What the address asks for is in `self.form`, also when a form is posted to it."""

    section = "runs"
    form: StatementRunForm

    def here(self) -> str:
        return f"{reverse('billing:statement_dry_run')}?{self.form.query}"

    def read_form(self) -> bool:
        self.form = StatementRunForm(self.request.GET, company=self.request.company)
        return self.form.is_valid()


class DryRunView(_OfOneRun):
    """Step 2: who gets one and of how much. POST is step 3, the start."""

    http_method_names = ["get", "head", "options", "post"]
    required_role = Role.CLERK
    required_role_to_change = Role.ACCOUNTANT

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        if not self.read_form():
            return _first_step(self, self.form)
        return self._show(run_started_lately(request.company, self.form.period))

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        if not self.read_form():
            return _first_step(self, self.form)
        try:
            return redirect(self._start())
        except StartedAlready as refused:
            return self._show(refused.batch, was_refused=True)

    def _start(self) -> Batch:
        form, posted = self.form, self.request.POST
        return start_statement_run(
            company=self.request.company,
            period=form.period,
            by=self.request.user,
            send=form.cleaned_data["send"],
            parties=form.parties,
            who=form.selection.who,
            token=token_of(posted.get("token", "")),
            only_first="anyway" not in posted,
        )

    def _show(self, other: Batch | None, *, was_refused: bool = False) -> HttpResponse:
        company, form = self.request.company, self.form
        dry = read_dry_run(company, form.period, form.selection)
        part = self.request.GET.get("part", INCLUDED)
        part = part if part in _PARTS else INCLUDED
        page = page_of_accounts(dry.shown[part], Edge.of(self.request.GET), PAGE_SIZE)
        context = {
            "form": form,
            "period": form.period,
            "dry": dry,
            "counts": {name.replace("-", "_"): dry.count(name) for name in _PARTS},
            "part": part,
            "parts": [(name, label, dry.count(name)) for name, label in _PARTS.items()],
            "page": page,
            "rows": self._rows(dry, page.rows),
            "estimate": self._estimate(dry),
            "other": other,
            "was_refused": was_refused,
            "books": self._books(form.period),
            "read_at": timezone.now(),
            "token": token_of(self.request.POST.get("token", "")) or uuid4(),
        }
        return self.page("billing/statements/dry_run.html", context)

    def _rows(self, dry: DryRun, accounts: list[Account]) -> list[Row]:
        made = {account.party.pk for account in dry.shown[MADE]}
        wanted = [account.party.pk for account in accounts if account.party.pk in made]
        earlier = {}
        if wanted:
            earlier = earlier_statements(
                company=self.request.company, period=self.form.period, parties=wanted
            )
        return [
            Row(account, dry.reasons.get(account.party.pk, ""), earlier.get(account.party.pk))
            for account in accounts
        ]

    def _estimate(self, dry: DryRun) -> Estimate:
        count = dry.count(INCLUDED)
        pace = pace_of(self.request.company, STATEMENT.name)
        before = papers_before(count) if count else 0
        time = pace.time_for(count + before) if pace else timedelta()
        return Estimate(pace, time, before, is_most=dry.count(MADE) > 0)

    def _books(self, period: Period) -> str:
        """`closed`, `open`, or `early` where the period is not over and can't be closed yet."""
        until = self.request.company.books_closed_until
        if until is not None and until >= period.end:
            return "closed"
        return "early" if period.end > today(self.request.company) else "open"


class CloseForRunView(_OfOneRun):
    """Closes the books up to the end of the period, and goes back to the dry run."""

    http_method_names = ["post", "options"]
    required_role = Role.ACCOUNTANT

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        if not self.read_form():
            return _first_step(self, self.form)
        end = self.form.period.end
        try:
            close_books_through(company=request.company, until=end, by=request.user)
        except ValidationError as refused:
            messages.error(request, f"The books stay open. {' '.join(refused.messages)}")
        else:
            messages.success(request, f"The books are closed up to {end.isoformat()}.")
        return redirect(self.here())

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        """After signing in nobody can POST again: back to the dry run."""
        query = self.request.GET.urlencode()
        return redirect_to_login(f"{reverse('billing:statement_dry_run')}?{query}")


def _first_step(view: PageMixin, form: StatementRunForm) -> HttpResponse:
    return view.page("billing/statements/start.html", {"form": form})
