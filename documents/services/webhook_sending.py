"""Sending one event to one endpoint: signed by Standard Webhooks, tried again for three days.

At least once: a worker that dies midway leaves a lease that runs out, and the message is sent again
under the same id.
"""

import json
from datetime import timedelta

from django.db import models, transaction
from django.db.models.functions import Now
from standardwebhooks import Webhook

from documents.models import WebhookDelivery, WebhookEndpoint
from documents.services import webhook_http
from documents.services.notifications import notify_of_webhook
from documents.services.public_addresses import NotFound, Refused
from documents.services.webhook_endpoints import disable_endpoint
from documents.services.webhook_http import Answer, Unanswered
from worker.clock import database_now
from worker.leasing import WorkState

_GONE = 410
_ASK_TO_WAIT = (429, 503)
_LONGEST_ANSWER = 500
# What waits for an endpoint that doesn't answer rests together, so that one that hangs can't keep
# every sender waiting in turn: the longer it is silent, the longer they rest.
_SHORTEST_REST, _LONGEST_REST = timedelta(minutes=1), timedelta(hours=1)
# Later than the last attempt of what was tried in time.
_GIVE_UP_AFTER = timedelta(days=4)
_SILENT = "The endpoint did not answer for days."
_SWITCHED_OFF = "The endpoint is off."


def send_webhook(delivery: WebhookDelivery) -> None:
    """The work of one lease."""
    endpoint = delivery.endpoint
    if not endpoint.is_enabled:
        _cancel(delivery)
        return
    body, headers = signed(delivery, endpoint)
    try:
        answer = webhook_http.post(endpoint.url, body, headers)
    except Refused as error:
        _fail(delivery, str(error), retry=False)
    except (NotFound, Unanswered) as error:
        delivery.note_answer(status=None, answer="", milliseconds=0)
        _fail(delivery, str(error), retry=True)
        _let_rest(endpoint)
    else:
        _settle(delivery, answer)
        _note_answer(endpoint)


def signed(delivery: WebhookDelivery, endpoint: WebhookEndpoint) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an attempt made now."""
    now = database_now()
    body = body_of(delivery)
    signatures = [
        Webhook(secret).sign(delivery.message_id, now, body) for secret in endpoint.secrets(now)
    ]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Pressroom-Webhooks/1",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return body.encode(), headers


def body_of(delivery: WebhookDelivery) -> str:
    """The same bytes at each attempt: the payload as it was frozen, in one way of writing."""
    return json.dumps(delivery.payload, separators=(",", ":"), sort_keys=True, ensure_ascii=True)


def _settle(delivery: WebhookDelivery, answer: Answer) -> None:
    seen = {
        "status": answer.status,
        "answer": answer.text[:_LONGEST_ANSWER],
        "milliseconds": answer.milliseconds,
    }
    if answer.is_success:
        delivery.finish(**seen)
        return
    if answer.status in _ASK_TO_WAIT:
        delivery.asked_to_wait = answer.retry_after
    with transaction.atomic():
        delivery.note_answer(**seen)
        if answer.status == _GONE:
            _give_up(delivery)
        else:
            _fail(delivery, _in_words(answer.status), retry=True)


def _in_words(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed. Give the final URL."
    return f"It answered {status}, where 200 to 299 mean that it was taken."


def _give_up(delivery: WebhookDelivery) -> None:
    """410 Gone: nobody wants to be told there any more."""
    reason = "It answered 410: it is gone and wants nothing more."
    _fail(delivery, reason, retry=False, tell=False)
    if disable_endpoint(endpoint=delivery.endpoint, reason=reason, by=None):
        notify_of_webhook(delivery.endpoint, f"{reason} It was switched off.", is_off=True)


def _fail(delivery: WebhookDelivery, reason: str, *, retry: bool, tell: bool = True) -> None:
    """Owners are told when it will not be tried again. The endpoint stays on."""
    is_last = not retry or delivery.attempts >= delivery.max_attempts
    with transaction.atomic():
        recorded = delivery.fail(reason=reason, retry=retry)
        if recorded and is_last and tell:
            notify_of_webhook(delivery.endpoint, f"An event could not be delivered. {reason}")


def _let_rest(endpoint: WebhookEndpoint) -> None:
    now = database_now()
    _row_of(endpoint).filter(silent_since=None).update(silent_since=now)
    endpoint.refresh_from_db(fields=["silent_since"])
    silent_for = now - (endpoint.silent_since or now)
    rest = max(_SHORTEST_REST, min(silent_for / 4, _LONGEST_REST))
    waiting = WebhookDelivery.objects.for_company(endpoint.company_id).filter(
        endpoint=endpoint, state=WorkState.QUEUED, attempts=0
    )
    waiting.filter(created_at__lt=now - _GIVE_UP_AFTER).update(
        state=WorkState.FAILED, finished_at=Now(), failure=_SILENT
    )
    waiting.filter(next_attempt_at__lt=now + rest).update(
        next_attempt_at=now + rest, published_at=None
    )


def _note_answer(endpoint: WebhookEndpoint) -> None:
    """Asked of the row: another sender may have noted a silence since this one began."""
    _row_of(endpoint).filter(silent_since__isnull=False).update(silent_since=None)


def _row_of(endpoint: WebhookEndpoint) -> "models.QuerySet[WebhookEndpoint]":
    return WebhookEndpoint.objects.for_company(endpoint.company_id).filter(pk=endpoint.pk)


def _cancel(delivery: WebhookDelivery) -> None:
    """It was claimed while the endpoint was switched off."""
    WebhookDelivery.objects.for_company(delivery.company_id).filter(
        pk=delivery.pk, token=delivery.token, state=WorkState.RUNNING
    ).update(
        state=WorkState.CANCELLED,
        failure=_SWITCHED_OFF,
        finished_at=Now(),
        token=None,
        lease_expires_at=None,
    )
