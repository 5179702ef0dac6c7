"""The document centre: the company's documents, one of them, and acting on many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Role
from documents.filters import DocumentFilter
from documents.models import Document
from documents.selectors import (
    Edge,
    all_documents,
    askers_of,
    document_with_requester,
    listed_documents,
    newest_first,
    places_in_queue,
    runs_of,
    standing_of,
    versions_of,
)
from documents.selectors.deliveries import deliveries_of
from documents.services.queueing import cancel_documents, clear_failed, retry_documents
from documents.tables import DocumentTable
from documents.views.live import WAITS, LiveView

PAGE_SIZE = 50
# A page of ticked rows; what is more than that is found by a filter.
MOST_TICKED = 200


@dataclass(frozen=True)
class Action:
    """A button, what it does, and what is said when it found `count` rows or none."""

    name: str
    label: str
    all_label: str
    do: Callable[..., int]
    done: str
    nothing: str


ACTIONS = (
    Action(
        "retry",
        "Try again",
        "Try all again that failed or were cancelled",
        retry_documents,
        "{count} queued again.",
        "None of these failed or was cancelled: nothing is tried again.",
    ),
    Action(
        "cancel",
        "Cancel",
        "Cancel all that wait or are being made",
        cancel_documents,
        "{count} cancelled. What was being made just now is thrown away.",
        "None of these waits or is being made: nothing is cancelled.",
    ),
    Action(
        "clear",
        "Put away",
        "Put all away that failed",
        clear_failed,
        "{count} put away. The state “put away” shows them.",
        "None of these failed: nothing is put away.",
    ),
)


class DocumentListView(LiveView):
    template_name = "documents/list.html"
    parts = {"results": "documents/parts/results.html"}
    live_name = "documents:list_progress"
    section = "documents"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        company = request.company
        filters = DocumentFilter(request.GET, listed_documents(company), request=request)
        page = newest_first(
            filters.qs, all_rows=all_documents(company), edge=Edge.of(request.GET), size=PAGE_SIZE
        )
        may_act = request.membership.may_act_as(Role.CLERK)
        table = DocumentTable(
            page.rows,
            company=company,
            places=places_in_queue(page.rows),
            sent=deliveries_of([row.pk for row in page.rows if row.is_ready]),
            choosable=may_act,
        )
        return {
            "filters": filters,
            "page": page,
            "table": table,
            "actions": ACTIONS if may_act else (),
            "empty": "documents/parts/no_documents.html",
            "is_final": all(document.is_final for document in page.rows),
        }


class DocumentView(LiveView):
    template_name = "documents/detail.html"
    parts = {"facts": "documents/parts/facts.html"}
    live_name = "documents:progress"
    section = "documents"
    wait_after_change = WAITS[0]

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        company, membership = request.company, request.membership
        document = document_with_requester(company, kwargs["pk"])
        if document is None:
            raise Http404("No such document.")
        versions = versions_of(company, document)
        return {
            "document": document,
            "versions": versions,
            "standing": standing_of([document, *versions]),
            "runs": runs_of(company, document),
            "askers": askers_of(company, document),
            "deliveries": deliveries_of([document.pk])[document.pk],
            "place": places_in_queue([document]).get(document.pk),
            "may_act": membership.may_act_as(Role.CLERK),
            "sees_details": membership.may_act_as(Role.ACCOUNTANT) or request.user.is_staff,
            "live_title": document.title,
            "news": f"The document is {document.get_state_display()}.",
            "is_final": document.is_final,
        }


class DocumentBulkView(MemberMixin):
    """One action on the ticked documents, or on all that the filter in the address finds."""

    http_method_names = ["post", "options"]
    required_role = Role.CLERK

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        action = next((it for it in ACTIONS if it.name == request.POST.get("action")), None)
        if action is None:
            raise Http404("No such action.")
        rows = self._found() if request.POST.get("scope") == "all" else self._ticked()
        if rows is not None:
            self._act(action, rows)
        return redirect(self._back())

    def _act(self, action: Action, rows: "models.QuerySet[Document]") -> None:
        try:
            count = action.do(company=self.request.company, rows=rows, by=self.request.user)
        except ValidationError as error:
            messages.error(self.request, f"Nothing was done. {' '.join(error.messages)}")
            return
        if count:
            messages.success(self.request, action.done.format(count=f"{count:,}"))
        else:
            messages.warning(self.request, action.nothing)

    def _found(self) -> "models.QuerySet[Document] | None":
        rows = all_documents(self.request.company)
        filters = DocumentFilter(self.request.GET, rows, request=self.request)
        if filters.is_sound:
            return filters.qs  # type: ignore[no-any-return]
        messages.error(self.request, "The filter makes no sense like that: nothing was done.")
        return None

    def _ticked(self) -> "models.QuerySet[Document] | None":
        ids = self._ids()
        if not ids:
            messages.warning(self.request, "Tick the documents first.")
            return None
        rows = all_documents(self.request.company).filter(pk__in=ids)
        if rows.count() != len(ids):
            raise Http404("No such document.")
        return rows

    def _ids(self) -> set[UUID]:
        texts = self.request.POST.getlist("ids")
        if len(texts) > MOST_TICKED:
            raise Http404(f"At most {MOST_TICKED} at once.")
        try:
            return {UUID(text) for text in texts}
        except ValueError as error:
            raise Http404("No such document.") from error

    def _back(self) -> str:
        """The page that the button stood on: the list as it was, or the document."""
        asked, mine = self.request.POST.get("back", ""), reverse("documents:list")
        is_local = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
        return asked if is_local and asked.startswith(mine) else mine

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        """After signing in, nobody can POST again: back to the page that the button stood on."""
        return redirect_to_login(self._back())
