"""The bell, the page of all notifications, and how to be told."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django_htmx.http import HttpResponseStopPolling

from accounts.access import CompanyRequest, MemberMixin
from documents.filters import NotificationFilter
from documents.forms.notifications import ChoiceForm
from documents.selectors import Edge, newest_first
from documents.selectors.notifications import (
    choice_of,
    newest_notifications,
    notifications_of,
    unread_of,
)
from documents.services.reading import choose, mark_all_read, mark_read

PAGE_SIZE = 50


class _BellPart(MemberMixin, View):
    """A fragment of the header, which is on every page."""

    http_method_names = ["get", "head", "options"]
    template: ClassVar[str]

    def read(self, request: CompanyRequest) -> dict[str, Any]:
        raise NotImplementedError

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        context = {"company": request.company, **self.read(request)}
        response = render(request, f"documents/notifications/{self.template}.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def handle_no_permission(self) -> HttpResponseBase:  # type: ignore[override]
        """Signed out, perhaps in another tab: nothing to show, and nobody to ask for."""
        return HttpResponseStopPolling('<span id="bell-badge" hidden></span>')


class BellView(_BellPart):
    """How many are unread. `seen` is the newest that the page knows: a newer one is announced."""

    template = "badge"

    def read(self, request: CompanyRequest) -> dict[str, Any]:
        unread = unread_of(request.user, request.company)
        seen = request.GET.get("seen")
        is_news = seen is not None and unread.newest is not None and str(unread.newest) != seen
        return {"unread": unread, "is_news": is_news}


class NewestView(_BellPart):
    """What the open bell lists."""

    template = "newest"

    def read(self, request: CompanyRequest) -> dict[str, Any]:
        return {"rows": newest_notifications(request.user, request.company)}


class NotificationListView(MemberMixin, View):
    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        own = notifications_of(request.user, request.company)
        filters = NotificationFilter(request.GET, own, request=request)
        page = newest_first(filters.qs, all_rows=own, edge=Edge.of(request.GET), size=PAGE_SIZE)
        context = {
            "company": request.company,
            "section": "notifications",
            "filters": filters,
            "page": page,
        }
        return render(request, "documents/notifications/list.html", context)


class OpenView(MemberMixin, View):
    """POST: read, and on to what it is about."""

    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponse:
        found = notifications_of(request.user, request.company).filter(pk=pk).first()
        if found is None:
            raise Http404("No such notification.")
        mark_read(notification=found)
        ours = url_has_allowed_host_and_scheme(found.url, allowed_hosts=None)
        return redirect(found.url if ours else "documents:notifications")


class MarkAllReadView(MemberMixin, View):
    """POST upto=<id of the newest that was seen>."""

    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        mark_all_read(
            user=request.user, company=request.company, upto=_uuid(request.POST.get("upto", ""))
        )
        if request.headers.get("HX-Request") == "true":
            rows = newest_notifications(request.user, request.company)
            context = {"company": request.company, "rows": rows}
            return render(request, "documents/notifications/newest.html", context)
        return redirect("documents:notifications")


class ChoiceView(MemberMixin, View):
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self._show(self._form())

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = self._form()
        if not form.is_valid():
            return self._show(form)
        choose(user=request.user, company=request.company, **form.cleaned_data)
        messages.success(request, "Saved. It holds for what happens from now on.")
        return redirect("documents:notification_choices")

    def _form(self) -> ChoiceForm:
        request = self.request
        choice = choice_of(request.user, request.company)
        return ChoiceForm(request.POST or None, instance=choice, membership=request.membership)

    def _show(self, form: ChoiceForm) -> HttpResponse:
        context = {"company": self.request.company, "section": "notifications", "form": form}
        return render(self.request, "documents/notifications/choices.html", context)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
