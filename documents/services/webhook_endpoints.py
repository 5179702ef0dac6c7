"""A company's endpoints: added, changed, tried out, switched off; deliveries sent once more."""

import base64
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now

from accounts.audit import note
from accounts.models import Company, User
from documents.models import TEST_EVENT, WEBHOOK_EVENTS, WebhookDelivery, WebhookEndpoint
from documents.services import public_addresses
from documents.services.webhooks import event_payload
from worker.leasing import WorkState
from worker.nudging import nudge_on_commit

OLD_SECRET_HOLDS = timedelta(hours=24)
MOST_ENDPOINTS = 20
_SECRET_BYTES = 32


def add_endpoint(
    *, company: Company, pk: UUID, url: str, events: Collection[str], description: str, by: User
) -> WebhookEndpoint:
    """`pk` comes with the form, so that a form that is sent twice adds one. Raises by field."""
    with transaction.atomic():
        Company.objects.select_for_update().get(pk=company.pk)  # or two at once exceed the most
        if WebhookEndpoint.objects.across_companies().filter(pk=pk).exists():
            raise ValidationError("This form was sent before. Look at the list of endpoints.")
        own = WebhookEndpoint.objects.for_company(company)
        if own.count() >= MOST_ENDPOINTS:
            raise ValidationError(f"There are {MOST_ENDPOINTS} endpoints, which is the most.")
        endpoint = WebhookEndpoint(
            pk=pk,
            company=company,
            url=_checked(url),
            events=_known(events),
            description=description,
            secret=_new_secret(),
        )
        endpoint.save(force_insert=True)
        note([endpoint], {"url": ("", url), "events": ("", ", ".join(endpoint.events))}, by)
    return endpoint


def change_endpoint(
    *, endpoint: WebhookEndpoint, url: str, events: Collection[str], description: str, by: User
) -> None:
    """What waits goes to the new URL. Raises ValidationError, by field."""
    before = {
        "url": endpoint.url,
        "events": ", ".join(endpoint.events),
        "description": endpoint.description,
    }
    endpoint.url, endpoint.events = _checked(url), _known(events)
    endpoint.description = description
    after = {
        "url": endpoint.url,
        "events": ", ".join(endpoint.events),
        "description": endpoint.description,
    }
    with transaction.atomic():
        endpoint.save(update_fields=["url", "events", "description"])
        changes = {name: (before[name], after[name]) for name in before}
        note([endpoint], {name: pair for name, pair in changes.items() if pair[0] != pair[1]}, by)


def rotate_secret(*, endpoint: WebhookEndpoint, mark: str, by: User) -> WebhookEndpoint:
    """A new secret; the old one signs as well for a day. Raises ValidationError.

    `mark` is the `secret_mark` that the person's page had: pressed twice, it is done once.
    """
    if mark != endpoint.secret_mark:
        raise ValidationError("The secret was changed meanwhile.")
    new, old = _new_secret(), endpoint.secret
    own = WebhookEndpoint.objects.for_company(endpoint.company_id).filter(pk=endpoint.pk)
    with transaction.atomic():
        changed = own.filter(secret=old).update(
            secret=new, old_secret=old, old_secret_until=Now() + OLD_SECRET_HOLDS
        )
        if changed != 1:
            raise ValidationError("The secret was changed meanwhile.")
        note([endpoint], {"secret": ("the old one", "a new one")}, by)
    return own.get()


def enable_endpoint(*, endpoint: WebhookEndpoint, by: User) -> bool:
    """False: it was on."""
    return _switch(endpoint, is_on=True, reason="", by=by)


def disable_endpoint(*, endpoint: WebhookEndpoint, reason: str, by: User | None) -> bool:
    """Off, and what waits for it is cancelled. False: it was off."""
    with transaction.atomic():
        switched = _switch(endpoint, is_on=False, reason=reason, by=by)
        if switched:
            _cancel_waiting(endpoint, reason)
    return switched


def delete_endpoint(*, endpoint: WebhookEndpoint, by: User) -> None:
    """With what was sent to it."""
    with transaction.atomic():
        note([endpoint], {"url": (endpoint.url, "")}, by)
        endpoint.delete()


def send_test(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """An event that says nothing but that it is a test. Raises ValidationError."""
    _refuse_if_off(endpoint)
    about = uuid4()
    payload = event_payload(TEST_EVENT, None, {"message": "A test. It is about nothing."})
    return _queue(endpoint, event=TEST_EVENT, subject_id=about, payload=payload)


def replay(*, delivery: WebhookDelivery, by: User) -> WebhookDelivery:
    """The same message once more, from the first attempt. Raises ValidationError.

    By Standard Webhooks a message keeps its id when it is sent again: a receiver that did take it
    recognises it, and one that lost it processes it. Body and id are the same, the time of the
    attempt and with it the signature are new.
    """
    if not delivery.is_final:
        raise ValidationError("It is still on its way.")
    _refuse_if_off(delivery.endpoint)
    original = delivery.replay_of_id or delivery.pk
    with transaction.atomic():
        again = _queue(
            delivery.endpoint,
            event=delivery.event,
            subject_id=delivery.subject_id,
            occurrence=delivery.occurrence,
            payload=delivery.payload,
            replay_of_id=original,
        )
        note([delivery], {"replayed": ("", str(again.pk))}, by)
    return again


def _queue(endpoint: WebhookEndpoint, **fields: Any) -> WebhookDelivery:
    with transaction.atomic():
        delivery = WebhookDelivery.objects.create(
            company_id=endpoint.company_id, endpoint=endpoint, queue="mail", **fields
        )
        nudge_on_commit(delivery)
    return delivery


def _switch(endpoint: WebhookEndpoint, *, is_on: bool, reason: str, by: User | None) -> bool:
    own = WebhookEndpoint.objects.for_company(endpoint.company_id).filter(pk=endpoint.pk)
    with transaction.atomic():
        switched = own.filter(is_enabled=not is_on).update(
            is_enabled=is_on, disabled_reason=reason[:200]
        )
        if switched == 1:
            states = ("off", "on") if is_on else ("on", "off")
            note([endpoint], {"is_enabled": states, "disabled_reason": ("", reason)}, by)
    return switched == 1


def _cancel_waiting(endpoint: WebhookEndpoint, reason: str) -> None:
    waiting = WebhookDelivery.objects.for_company(endpoint.company_id).filter(
        endpoint=endpoint, state=WorkState.QUEUED
    )
    waiting.update(state=WorkState.CANCELLED, finished_at=Now(), failure=reason)


def _refuse_if_off(endpoint: WebhookEndpoint) -> None:
    if not endpoint.is_enabled:
        raise ValidationError("The endpoint is off. Switch it on first.")


def _checked(url: str) -> str:
    try:
        public_addresses.addresses_of(public_addresses.parse(url))
    except (public_addresses.Refused, public_addresses.NotFound) as error:
        raise ValidationError({"url": str(error)}) from error
    return url


def _known(events: Collection[str]) -> list[str]:
    chosen = [str(event) for event in WEBHOOK_EVENTS if event in events]
    if not chosen:
        raise ValidationError({"events": "Choose at least one."})
    return chosen


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
