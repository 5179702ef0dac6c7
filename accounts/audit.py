"""Entries of the audit trail for changes that save no row one by one, such as bulk updates."""

from collections.abc import Iterable, Mapping
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from accounts.models import User

Changes = Mapping[str, tuple[str, str]]
Action = LogEntry.Action


def note(rows: Iterable[models.Model], changes: Changes, by: User | None) -> None:
    """An entry a row, in one INSERT, for a change that was not saved row by row.

    `changes` maps a field's name to (before, after) as texts, the same for every row.
    """
    note_each(((row, changes) for row in rows), by)


def note_each(
    entries: Iterable[tuple[models.Model, Changes]],
    by: User | None,
    action: int = Action.UPDATE,
) -> None:
    """As `note`, with changes of each row's own. The rows may be of several models."""
    LogEntry.objects.bulk_create(
        [_entry(row, changes, by, action) for row, changes in entries], batch_size=1000
    )


def _entry(row: models.Model, changes: Changes, by: User | None, action: int) -> LogEntry:
    return LogEntry(
        content_type=ContentType.objects.get_for_model(row),
        object_pk=str(row.pk),
        object_id=row.pk if isinstance(row.pk, int) else None,  # by which it is looked up then
        object_repr=str(row)[:200],
        action=action,
        actor=by,
        actor_email=by.email if by else None,
        changes={name: list(pair) for name, pair in changes.items()},
    )


def history_of(row: models.Model) -> "models.QuerySet[Any]":
    """The row's entries, newest first."""
    entries: models.QuerySet[Any] = LogEntry.objects.get_for_object(row).select_related("actor")
    return entries
