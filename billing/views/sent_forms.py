"""What became of a form that was sent, for a day: it may come again.

By an impatient hand, or since an answer was lost. It is kept in a table of the books' database, so
that it is there together with what the form saved, or not at all.
"""

import hashlib
from typing import TypedDict
from uuid import UUID

from django.core.cache import caches
from django.db import models
from django.http import QueryDict
from django.utils.connection import ConnectionProxy

BUTTONS = ("issue", "save")
_UNTYPED = ("csrfmiddlewaretoken", "token", *BUTTONS)
_SECONDS = 24 * 60 * 60

forms = ConnectionProxy(caches, "forms")


class SentForm(TypedDict, total=False):
    """Empty if it was not sent, or if that is forgotten."""

    typed: str  # a digest of it
    button: str
    left: str  # the version of the record that it left behind


def typed_in(data: QueryDict) -> str:
    """A digest of what was typed, whichever button sent it."""
    fields = sorted((name, values) for name, values in data.lists() if name not in _UNTYPED)
    return hashlib.sha256(repr(fields).encode()).hexdigest()


def button_of(data: QueryDict) -> str:
    return next((name for name in BUTTONS if name in data), "")


def version_of(record: models.Model) -> str:
    """Another one after each change of its row."""
    values = [getattr(record, field.attname) for field in record._meta.concrete_fields]
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def recall(user_id: object, token: UUID) -> SentForm:
    found: SentForm = forms.get(_key(user_id, token), {})
    return found


def remember(user_id: object, token: UUID, sent: SentForm) -> None:
    """In the caller's transaction."""
    forms.set(_key(user_id, token), sent, _SECONDS)


def _key(user_id: object, token: UUID) -> str:
    return f"{user_id}:{token}"
