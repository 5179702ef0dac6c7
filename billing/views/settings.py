"""The settings that billing has rules for: selling, numbers, and the closing of the books."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.access import CompanyRequest
from accounts.models import Company, Role
from billing.dates import today
from billing.forms.settings import BooksForm, NumbersForm, SellingForm
from billing.models import Series
from billing.numbering import default_pattern, fiscal_year, format_number
from billing.services.company_settings import change_number_patterns, change_selling
from billing.services.periods import close_books
from billing.views.shared import FragmentMixin, add_errors

_EXAMPLE = 42


class _SettingsView(FragmentMixin):
    http_method_names = ["get", "head", "post", "options"]
    section = "settings"
    required_role = Role.OWNER
    tab = ""

    def show(self, form: Any, **more: Any) -> HttpResponse:
        context = {"form": form, "tab": self.tab, **more}
        return self.page(f"billing/settings/{self.tab}.html", context)


class SellingSettingsView(_SettingsView):
    tab = "selling"

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self.show(SellingForm(company=request.company))

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = SellingForm(request.POST, company=request.company)
        if form.is_valid():
            try:
                change_selling(company=request.company, by=request.user, **form.cleaned_data)
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, "Saved. Invoices that are begun from now on follow it.")
                return redirect("billing:settings_selling")
        return self.show(form)


class NumbersSettingsView(_SettingsView):
    """POST to `…/examples/` gives the examples of what is typed; nothing is saved there."""

    tab = "numbers"
    part = "page"

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        if self.part == "examples":
            return self.http_method_not_allowed(request)
        return self._page(NumbersForm(company=request.company))

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = NumbersForm(request.POST, company=request.company)
        if self.part == "examples":
            shown = {"examples": examples(request.company, form), "tab": self.tab}
            return self.page("billing/settings/examples.html", shown)
        if not form.is_valid():
            return self._page(form)
        change_number_patterns(company=request.company, patterns=form.patterns(), by=request.user)
        messages.success(request, "Saved. Numbers are taken in this form from now on.")
        return redirect("billing:settings_numbers")

    def _page(self, form: NumbersForm) -> HttpResponse:
        return self.show(form, examples=examples(self.request.company, form))


class BooksSettingsView(_SettingsView):
    tab = "books"
    required_role = Role.ACCOUNTANT

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self.show(BooksForm(initial={"until": request.company.books_closed_until}))

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = BooksForm(request.POST)
        if form.is_valid():
            until = form.cleaned_data["until"]
            try:
                close_books(company=request.company, until=until, by=request.user)
            except ValidationError as error:
                add_errors(form, error)
            else:
                said = f"closed up to {until.isoformat()}" if until else "open"
                messages.success(request, f"The books are {said}.")
                return redirect("billing:settings_books")
        return self.show(form)


def examples(company: Company, form: NumbersForm) -> list[tuple[str, str, str]]:
    """(label, number, error) a series: what its pattern, or the default, makes of a number."""
    year = fiscal_year(company, today(company))
    found = []
    for series in Series:
        pattern = str(form[series.value].value() or "").strip() or default_pattern(series)
        try:
            found.append((series.label, format_number(series, year, _EXAMPLE, pattern), ""))
        except ValidationError as error:
            found.append((series.label, "", " ".join(error.messages)))
    return found
