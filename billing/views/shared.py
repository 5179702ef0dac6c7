"""What the pages of billing share. How to use it:

    class PaymentDetailView(RecordMixin):          # fetch (404 to a stranger), then the role (403)
        section = "payments"                       # marks the link in the navigation
        rows = staticmethod(lambda company: Payment.objects.for_company(company))
        def get(self, request, **kwargs):
            return self.page("billing/payments/detail.html", {"payment": self.record})

    class VoidPaymentView(ActionView):             # POST only; refusals come back as messages
        required_role = Role.ACCOUNTANT
        rows = ...
        def act(self, record):                     # may raise ValidationError
            void_payment(payment=record, reason=self.reason(), by=self.request.user)
            return "Payment PAY-1 is void."        # the message; then on to `next_url(record)`

    class PaymentCreateView(EntryView): ...        # see billing/views/entries.py
    path("<uuid:pk>/history/", HistoryView.as_view(rows=..., ...))   # see billing/views/history.py

`record.get_absolute_url()` is where an action goes back to, unless `next_url` says otherwise.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.access import MemberMixin
from accounts.models import Company, Role
from billing.forms.shared import clean_reason

Rows = Callable[[Company], "models.QuerySet[Any]"]


class PageMixin(MemberMixin):
    """A page within a section of the navigation."""

    section: ClassVar[str] = ""

    def page(
        self, template: str, context: Mapping[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """The template, with `company`, `section` and `may` (what the role allows) beside it."""
        shared = {
            "company": self.request.company,
            "section": self.section,
            "may": self.may,
        }
        return render(self.request, template, {**shared, **(context or {})}, status=status)

    @property
    def may(self) -> dict[str, bool]:
        """`{% if may.enter %}`: clerk and up; `may.correct`: accountant and up; `may.manage`."""
        membership = self.request.membership
        return {
            "enter": membership.may_act_as(Role.CLERK),
            "correct": membership.may_act_as(Role.ACCOUNTANT),
            "manage": membership.may_act_as(Role.OWNER),
        }


class RecordMixin(PageMixin):
    """A page of one record, in `self.record`.

    It is fetched before the role is asked for: what is not theirs to see is 404 to everybody, what
    they see but may not change is 403.
    """

    rows: Any = None  # Rows, on the class (as a staticmethod) or given to as_view()
    record: Any

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "membership", None) is not None:
            self.record = self.find(kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def find(self, pk: UUID) -> Any:
        found = self.rows(self.request.company).filter(pk=pk).first()
        if found is None:
            raise Http404("No such record.")
        return found


class FragmentMixin(PageMixin):
    """A part of a page, fetched by htmx: whoever was signed out gets no sign-in form in it."""

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        if self.request.headers.get("HX-Request") != "true":
            return super().handle_no_permission()
        return HttpResponse("You were signed out.", status=401, content_type="text/plain")


class ActionView(RecordMixin):
    """One change to one record, by POST. `act` does it and returns what to say about it."""

    http_method_names = ["post", "options"]
    required_role = Role.CLERK

    def act(self, record: Any) -> str:
        raise NotImplementedError

    def next_url(self, record: Any) -> str:
        return str(record.get_absolute_url())

    def reason(self) -> str:
        """The reason that was typed. Raises ValidationError if there is none."""
        return clean_reason(self.request.POST.get("reason", ""))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            said = self.act(self.record)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(self.record.get_absolute_url())
        messages.success(request, said)
        return redirect(self.next_url(self.record))

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        """After signing in, nobody can POST again: back to the page that the button stood on."""
        page = self.request.headers.get("Referer", "").partition(self.request.get_host())[2]
        return redirect_to_login(page if page.startswith("/") else "/")


def add_errors(form: BaseForm, error: ValidationError) -> None:
    """What a service refused, beside the fields that it names; the rest on top of the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)
