"""So many costly requests a minute and no more: `settings.COSTLY_VIEWS` names them."""

import time
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.counting import count_up

_PERIOD = 60  # seconds


class RateLimitMiddleware:
    """Counts by person, whatever the address; by address where nobody is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        most = settings.COSTLY_PER_MINUTE
        if not most or not _is_costly(request) or _count(_who(request), most) <= most:
            return None
        return too_many_requests(request)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Also what the library that signs people in answers with (`handler429`)."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(_PERIOD)
    return response


def _is_costly(request: HttpRequest) -> bool:
    method = "GET" if request.method == "HEAD" else str(request.method)
    match = request.resolver_match
    return match is not None and match.view_name in settings.COSTLY_VIEWS.get(method, ())


def _who(request: HttpRequest) -> str:
    if request.user.is_authenticated:
        return f"user {request.user.pk}"
    return f"address {get_adapter().get_client_ip(request)}"


def _count(who: str, most: int) -> int:
    """How many it was in this minute, of all web processes. Who is over the bound in this one alone
    is refused without a query: what keeps the database free must not go on asking it.
    """
    here = caches["counts"]
    key = f"costly:{int(time.time()) // _PERIOD}:{who}".replace(" ", ":")
    here.add(key, 0, 2 * _PERIOD)
    count = here.incr(key)
    return count if count > most else count_up(key, seconds=2 * _PERIOD)
