"""E-mails to parties: the list, one of them, and what a person decides about many."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.access import CompanyRequest, MemberMixin
from accounts.audit import history_of
from accounts.models import Role
from documents.filters import DeliveryFilter
from documents.models import DeliveryState
from documents.selectors import Edge, newest_first
from documents.selectors.deliveries import (
    all_deliveries,
    count_undecided,
    delivery_with_paper,
    listed_deliveries,
)
from documents.services.deciding import APPLIES, Decision, decide
from documents.services.releasing import Deliveries
from documents.tables.deliveries import DeliveryTable, delivery_state
from documents.views.live import LiveView

PAGE_SIZE = 50
MOST_TICKED = 200
_STILL = (DeliveryState.QUEUED, DeliveryState.RUNNING)


@dataclass(frozen=True)
class Action:
    decision: Decision
    label: str
    role: Role
    done: str
    needs_reason: bool = False


ACTIONS = (
    Action(Decision.ARRIVED, "It arrived", Role.ACCOUNTANT, "{} marked as sent."),
    Action(Decision.AGAIN, "Send again", Role.CLERK, "{} queued again."),
    Action(Decision.CAME_BACK, "It came back", Role.ACCOUNTANT, "{} marked as come back.", True),
    Action(Decision.CANCEL, "Don't send", Role.CLERK, "{} cancelled."),
)


def _actions(request: CompanyRequest, states: list[str]) -> list[Action]:
    """What this member may do to e-mails in these states; without any, whatever there is."""
    wanted = {DeliveryState(state) for state in states if state in DeliveryState.values}
    return [
        action
        for action in ACTIONS
        if request.membership.may_act_as(action.role)
        and (not wanted or wanted & set(_applies(request, action)))
    ]


def _applies(request: CompanyRequest, action: Action) -> tuple[DeliveryState, ...]:
    """Only an accountant may send again what has perhaps arrived."""
    states = APPLIES[action.decision]
    if action.decision == Decision.AGAIN and not request.membership.may_act_as(Role.ACCOUNTANT):
        return tuple(state for state in states if state != DeliveryState.UNKNOWN)
    return states


class DeliveryListView(LiveView):
    template_name = "documents/deliveries/list.html"
    parts = {"results": "documents/parts/results.html"}
    live_name = "documents:deliveries_progress"
    section = "documents"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        company = request.company
        filters = DeliveryFilter(request.GET, listed_deliveries(company), request=request)
        page = newest_first(
            filters.qs, all_rows=all_deliveries(company), edge=Edge.of(request.GET), size=PAGE_SIZE
        )
        asked = request.GET.get("state", "")
        actions = _actions(request, [asked])
        return {
            "filters": filters,
            "page": page,
            "table": DeliveryTable(page.rows, company=company, choosable=bool(actions)),
            "actions": actions,
            "undecided": 0 if asked == DeliveryState.UNKNOWN else count_undecided(company),
            "empty": "documents/deliveries/none.html",
            "is_final": all(row.state not in _STILL for row in page.rows),
        }


class DeliveryView(LiveView):
    template_name = "documents/deliveries/detail.html"
    parts = {"facts": "documents/deliveries/facts.html"}
    live_name = "documents:delivery_progress"
    section = "documents"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        delivery = delivery_with_paper(request.company, kwargs["pk"])
        if delivery is None:
            raise Http404("No such e-mail.")
        member = request.membership
        return {
            "delivery": delivery,
            "mark": delivery_state(delivery),
            "actions": _actions(request, [delivery.state]),
            "history": list(history_of(delivery)[:20]),
            "sees_details": member.may_act_as(Role.ACCOUNTANT) or request.user.is_staff,
            "live_title": f"E-mail to {delivery.recipient_name}",
            "news": f"The e-mail is {delivery.get_state_display()}.",
            "is_final": delivery.state not in _STILL,
        }


class DecideView(MemberMixin):
    """One decision on the ticked e-mails, or on all that the filter in the address finds."""

    http_method_names = ["post", "options"]
    required_role = Role.CLERK

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        action = self._action(request.POST.get("action", ""))
        rows = self._found() if request.POST.get("scope") == "all" else self._ticked()
        if rows is not None:
            try:
                self._do(action, rows)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
        return redirect(self._back())

    def _do(self, action: Action, rows: Deliveries) -> None:
        by = self.request.user
        applicable = rows.filter(state__in=_applies(self.request, action))
        reason = self.request.POST.get("reason", "")
        count = decide(deliveries=applicable, decision=action.decision, by=by, reason=reason)
        if count:
            messages.success(self.request, action.done.format(f"{count:,}"))
        else:
            said = "Nothing was changed: none of these is in a state for that, or can be sent to."
            messages.warning(self.request, said)

    def _action(self, name: str) -> Action:
        action = next((known for known in ACTIONS if known.decision == name), None)
        if action is None:
            raise Http404("No such action.")
        if not self.request.membership.may_act_as(action.role):
            raise PermissionDenied(f"This needs the role {action.role.label}.")
        return action

    def _found(self) -> Deliveries | None:
        rows = all_deliveries(self.request.company)
        filters = DeliveryFilter(self.request.GET, rows, request=self.request)
        if filters.is_sound:
            return filters.qs  # type: ignore[no-any-return]
        messages.error(self.request, "The filter makes no sense like that: nothing was done.")
        return None

    def _ticked(self) -> Deliveries | None:
        ids = self._ids()
        if not ids:
            messages.warning(self.request, "Tick the e-mails first.")
            return None
        rows = all_deliveries(self.request.company).filter(pk__in=ids)
        if rows.count() != len(ids):
            raise Http404("No such e-mail.")
        return rows

    def _ids(self) -> set[UUID]:
        texts = self.request.POST.getlist("ids")
        if len(texts) > MOST_TICKED:
            raise Http404(f"At most {MOST_TICKED} at once.")
        try:
            return {UUID(text) for text in texts}
        except ValueError as error:
            raise Http404("No such e-mail.") from error

    def _back(self) -> str:
        asked, mine = self.request.POST.get("back", ""), reverse("documents:deliveries")
        is_local = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
        return asked if is_local and asked.startswith(mine) else mine
