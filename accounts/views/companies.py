"""The company's letterhead and logo, for its owners."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.access import CompanyRequest, MemberMixin
from accounts.forms import CompanyForm, LogoForm
from accounts.models import Role
from accounts.services import change_company, remove_logo, set_logo


class _OwnersView(MemberMixin):
    required_role = Role.OWNER

    def show(
        self, company_form: CompanyForm | None = None, logo_form: LogoForm | None = None
    ) -> HttpResponse:
        company = self.request.company
        context = {
            "company": company,
            "section": "settings",
            "tab": "company",
            # A form changes the object it is given: the page goes on showing what is stored.
            "form": company_form or CompanyForm(instance=copy(company)),
            "logo_form": logo_form or LogoForm(),
        }
        return render(self.request, "accounts/settings/company.html", context)


class CompanySettingsView(_OwnersView):
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self.show()

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = CompanyForm(request.POST, instance=copy(request.company))
        if not form.is_valid():
            return self.show(company_form=form)
        change_company(company=request.company, **form.cleaned_data)
        messages.success(request, "The company's facts are saved. New papers show them.")
        return redirect("accounts:company")


class UploadLogoView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = LogoForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(logo_form=form)
        set_logo(company=request.company, logo=form.cleaned_data["logo"])
        messages.success(request, "The logo is saved. New papers show it.")
        return redirect("accounts:company")


class RemoveLogoView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        remove_logo(company=request.company)
        messages.success(request, "The logo is removed. New papers show the name.")
        return redirect("accounts:company")


class LogoView(MemberMixin):
    """The logo of the company that one works in: a PNG of our own making."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponseBase:
        logo = request.company.logo
        if not logo:
            raise Http404("No logo.")
        try:
            with logo.open("rb") as file:
                content = file.read()
        except FileNotFoundError as error:
            raise Http404("The logo's file is missing.") from error
        response = HttpResponse(content, content_type="image/png")
        response["Cache-Control"] = "private, no-cache"
        response["X-Content-Type-Options"] = "nosniff"
        return response
