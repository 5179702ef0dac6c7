"""The audit trail: who changed what when, with before and after.

django-auditlog writes an entry for each saved row. Changes that save no row one by one (bulk
updates, replaced items) write their own with `note` or `note_each`, which every layer may use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal, InvalidOperation
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db import models
from django.db.models.signals import pre_save

from accounts.audit import Action, Changes, history_of, note, note_each
from accounts.models import Company, Invitation, Membership, User
from billing.models import Balance, Challan, Invoice, Party, Payment, Return

__all__ = ["Action", "Changes", "acting", "history_of", "note", "note_each", "register"]

_DERIVED = ["created_at", "updated_at", "paid", "returned", "subtotal", "net", "tax", "billed_to"]
_actor: ContextVar[User | None] = ContextVar("acting", default=None)


def register() -> None:
    """Called once, when the app loads."""
    whole = (Party, Invoice, Payment, Return, Challan, Membership, Company)
    for model in (*whole, Balance):
        # Before auditlog's own receiver, which compares.
        pre_save.connect(_align, sender=model, dispatch_uid="billing.audit.align")
    for model in whole:
        auditlog.register(model, exclude_fields=_DERIVED)
    auditlog.register(Balance, include_fields=["opening", "opening_date"])
    auditlog.register(Invitation, exclude_fields=["token_hash", "created_at"])
    pre_save.connect(_sign, sender=LogEntry, dispatch_uid="billing.audit.sign")


@contextmanager
def acting(by: User | None) -> Iterator[None]:
    """What is saved inside was done by `by`, within a request or without.

    Not auditlog's own `set_actor`: inside of a request it forgets the request's actor at its end,
    and leaves a signal receiver behind each time.
    """
    token = _actor.set(by)
    try:
        yield
    finally:
        _actor.reset(token)


def _align(instance: models.Model, **_: Any) -> None:
    """100.00 is 100.000 once it is read back, and no change that the trail should show."""
    for field in instance._meta.concrete_fields:
        if isinstance(field, models.DecimalField):
            value = getattr(instance, field.attname)
            if isinstance(value, int | Decimal):
                setattr(instance, field.attname, _as_stored(Decimal(value), field.decimal_places))


def _as_stored(value: Decimal, places: int) -> Decimal:
    try:
        aligned = value.quantize(Decimal(1).scaleb(-places))
    except InvalidOperation:
        return value
    return aligned if aligned == value else value


def _sign(instance: Any, **_: Any) -> None:
    by = _actor.get()
    if by is not None:
        instance.actor, instance.actor_email = by, by.email
