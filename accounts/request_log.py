"""One line of the log for each request: which, by whom (an id), how long. Nothing personal.

Neither the path nor the query is written: a path may hold the token of an invitation, a query what
somebody searched for. The route and the ids of records in it say which page it was.
"""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

logger = structlog.stdlib.get_logger("pressroom.request")

HEADER = "X-Request-ID"
# A header that anyone may send goes into every line: only what can be nothing but an id.
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")
_UNTOLD = ("live", "ready", "metrics")


class RequestLogMiddleware:
    """First of all: every line written while a request is answered has its id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        request_id = _request_id(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.monotonic()
        try:
            response = self.get_response(request)
            response[HEADER] = request_id
            _tell(request, response.status_code, time.monotonic() - started)
        finally:
            structlog.contextvars.clear_contextvars()
        return response

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        """By now the other middlewares know who asks, and for which company."""
        user, membership = getattr(request, "user", None), getattr(request, "membership", None)
        if user is not None and user.is_authenticated:
            structlog.contextvars.bind_contextvars(user_id=str(user.pk))
        if membership is not None:
            structlog.contextvars.bind_contextvars(company_id=str(membership.company_id))


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    return given if _SANE.fullmatch(given) else uuid.uuid4().hex


def _tell(request: HttpRequest, status: int, seconds: float) -> None:
    match = request.resolver_match
    is_dull = match is None or match.view_name in _UNTOLD  # a static file, a probe
    if is_dull and status < 400:
        return
    ids = {
        name: str(value)
        for name, value in (match.kwargs if match else {}).items()
        if isinstance(value, uuid.UUID | int)
    }
    logger.info(
        "request",
        method=request.method,
        route=match.route if match else None,
        ids=ids or None,
        status=status,
        milliseconds=int(seconds * 1000),
    )
