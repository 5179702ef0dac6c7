"""Sentry, where an operator gave it an address: what broke and where, nothing about whom."""

from typing import Any

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.utils import BadDsn, Dsn

from config.logs import without_addresses

_KEPT_OF_A_REQUEST = ("method",)
_KEPT_OF_A_USER = ("id",)


def start_sentry(dsn: str, *, release: str) -> None:
    try:
        Dsn(dsn)
    except BadDsn as error:
        expected = "https://KEY@sentry.example.com/1"
        raise ImproperlyConfigured(f"SENTRY_DSN: expected {expected}") from error
    sentry_sdk.init(
        dsn=dsn,
        release=release or None,
        send_default_pii=False,
        # Local variables are invoices and people.
        include_local_variables=False,
        include_source_context=True,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0,
        before_send=scrub_event,
    )


def scrub_event(event: Any, hint: Any) -> Any:
    """Also what an integration adds that we have not heard of yet."""
    event["request"] = _only(event.get("request"), _KEPT_OF_A_REQUEST)
    event["user"] = _only(event.get("user"), _KEPT_OF_A_USER)
    for key in ("breadcrumbs", "extra", "server_name"):
        event.pop(key, None)
    for error in (event.get("exception") or {}).get("values") or []:
        error["value"] = without_addresses(str(error.get("value") or ""))
        for frame in (error.get("stacktrace") or {}).get("frames") or []:
            frame.pop("vars", None)
    _scrub_message(event)
    return event


def _scrub_message(event: dict[str, Any]) -> None:
    if "message" in event:
        event["message"] = without_addresses(str(event["message"]))
    entry = event.get("logentry")
    if entry:  # the words without what was filled in
        event["logentry"] = {"message": without_addresses(str(entry.get("message", "")))}


def _only(found: Any, kept: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in (found or {}).items() if key in kept}
