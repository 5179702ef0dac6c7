"""Acting on the rows that were ticked in a list. How to use it:

    class PaymentBulkView(BulkView):
        section = "payments"
        rows = staticmethod(all_payments)
        actions = PaymentListView.bulk_actions
        back = "billing:payment_list"
        def act(self, action, record):                  # may raise ValidationError
            request_paper(record=record, by=self.request.user)

Each row is one service call of its own: what one refuses is said, and the others are done. One id
that is not of the company, and nothing is done at all (404).

Where `paper_run` names a kind of run, papers of more than FEW rows are made by such a run: its
page follows them, and the request is over at once. Fewer are asked for one by one, and stand
before every run in the queue. All that a filter leaves: see billing/views/paper_runs.py.
"""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.forms.shared import clean_reason, token_of
from billing.services.paper_runs import start_paper_run
from billing.views.lists import BulkAction
from billing.views.shared import PageMixin
from documents.models import Batch

MOST = 200
FEW = 20
PAPER = "paper"
_SAID = 5


class BulkView(PageMixin):
    http_method_names = ["post", "options"]
    required_role = Role.CLERK
    rows: ClassVar[Any]  # Rows, as a staticmethod
    actions: ClassVar[tuple[BulkAction, ...]]
    back: ClassVar[str]
    paper_run: ClassVar[str] = ""

    def act(self, action: BulkAction, record: Any) -> None:
        raise NotImplementedError

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        action = self._action(request.POST.get("action", ""))
        records = self._records(request.POST.getlist("ids"))
        if action.name == PAPER and self.paper_run and len(records) > FEW:
            return redirect(self._start_run(records))
        try:
            self.reason = self._reason(action)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            self._act_on(action, records)
        return redirect(self._back())

    def _action(self, name: str) -> BulkAction:
        action = next((known for known in self.actions if known.name == name), None)
        if action is None:
            raise Http404("No such action.")
        if not self.request.membership.may_act_as(action.role):
            raise PermissionDenied(f"This needs the role {action.role.label}.")
        return action

    def _records(self, ids: list[str]) -> list[Any]:
        try:
            wanted = list(dict.fromkeys(UUID(text) for text in ids))
        except ValueError as error:
            raise Http404("No such record.") from error
        if len(wanted) > MOST:
            raise Http404(f"At most {MOST} rows at once.")
        found = {row.pk: row for row in self.rows(self.request.company).filter(pk__in=wanted)}
        if len(found) != len(wanted):
            raise Http404("No such record.")
        return [found[key] for key in wanted]

    def _start_run(self, records: list[Any]) -> Batch:
        return start_paper_run(
            company=self.request.company,
            kind=self.paper_run,
            records=[record.pk for record in records],
            by=self.request.user,
            token=token_of(self.request.POST.get("token", "")),
        )

    def _reason(self, action: BulkAction) -> str:
        return clean_reason(self.request.POST.get("reason", "")) if action.needs_reason else ""

    def _act_on(self, action: BulkAction, records: list[Any]) -> None:
        if not records:
            messages.warning(self.request, "Tick the rows first.")
            return
        refused = list(self._refusals(action, records))
        done = len(records) - len(refused)
        if done:
            messages.success(self.request, f"{action.label}: {done} done.")
        for said in refused[:_SAID]:
            messages.error(self.request, said)
        if len(refused) > _SAID:
            messages.error(self.request, f"… and {len(refused) - _SAID} more were refused.")

    def _refusals(self, action: BulkAction, records: list[Any]) -> Iterable[str]:
        for record in records:
            try:
                self.act(action, record)
            except ValidationError as error:
                yield f"{record}: {' '.join(error.messages)}"

    def _back(self) -> str:
        """The list as it was: filtered, sorted, on its page."""
        asked = self.request.POST.get("back", "")
        mine = reverse(self.back)
        is_mine = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
        return asked if is_mine and asked.partition("?")[0] == mine else mine
