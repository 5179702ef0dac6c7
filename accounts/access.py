"""Who is asking, for which company, and may they? One place for every view."""

from typing import Any

from django.contrib.auth.mixins import AccessMixin
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from accounts.models import Company, Membership, Role, User

SESSION_COMPANY = "company"


class CompanyRequest(HttpRequest):
    """A request of a member: what a view behind `MemberMixin` receives."""

    user: User
    company: Company
    membership: Membership


def memberships_of(user: User | AnonymousUser) -> list[Membership]:
    if not user.is_authenticated:
        return []
    if user.loaded_memberships is None:
        user.loaded_memberships = list(user.memberships.select_related("company"))
    return user.loaded_memberships


class MemberMixin(AccessMixin, View):
    """Lets members of a company in: others sign in, or are told that they belong to none.

    `required_role` is the least role that may use the view; `required_role_to_change`, when it is
    higher, the least that may POST.
    """

    request: CompanyRequest
    required_role: Role = Role.VIEWER
    required_role_to_change: Role | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        membership: Membership | None = request.membership  # type: ignore[attr-defined]
        if membership is None:
            return render(request, "accounts/no_company.html", status=403)
        if not membership.may_act_as(self._role_for(request)):
            raise PermissionDenied(f"This needs the role {self._role_for(request).label}.")
        return super().dispatch(request, *args, **kwargs)

    def _role_for(self, request: HttpRequest) -> Role:
        changes = request.method not in ("GET", "HEAD", "OPTIONS")
        if changes and self.required_role_to_change is not None:
            return self.required_role_to_change
        return self.required_role
