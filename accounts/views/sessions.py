"""Choosing the company to act in."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect

from accounts.access import SESSION_COMPANY, CompanyRequest, MemberMixin, memberships_of


class ChooseCompanyView(MemberMixin):
    """POST company=<id>: act in another company of one's own from now on.

    Forms that other tabs drew for the company before are refused, instead of acting in this one.
    """

    http_method_names = ["post"]

    def post(self, request: CompanyRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        chosen = request.POST.get("company", "")
        own = {str(membership.company_id) for membership in memberships_of(request.user)}
        if _canonical(chosen) not in own:
            raise Http404("No such company.")
        request.session[SESSION_COMPANY] = _canonical(chosen)
        rotate_token(request)
        return redirect("home")


def _canonical(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        return ""
