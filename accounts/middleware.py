"""Puts the company and the membership that a request acts in onto the request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.access import SESSION_COMPANY, memberships_of
from accounts.models import Membership
from accounts.scoping import company_scope_required


class CompanyMiddleware:
    """Read afresh each time: a role that was revoked is revoked on the next request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        membership = _current_membership(request)
        request.membership = membership  # type: ignore[attr-defined]
        request.company = membership.company if membership else None  # type: ignore[attr-defined]
        with company_scope_required():
            response = self.get_response(request)
            if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                response.render()
        return response


def _current_membership(request: HttpRequest) -> Membership | None:
    memberships = memberships_of(request.user)
    chosen = request.session.get(SESSION_COMPANY) if len(memberships) > 1 else None
    for membership in memberships:
        if str(membership.company_id) == chosen:
            return membership
    return memberships[0] if memberships else None
