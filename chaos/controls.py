"""The controls: a protection is taken away from outside, and the harness must find the damage."""

import os
from typing import Any

from django.db import connection, models

from billing import numbering
from billing.models import Invoice
from chaos.weather import dripping
from documents.archive import Stored
from documents.archive.local import LocalArchive
from worker.leasing import LeasedWork

NAMES = ("token", "rename", "numbering")


def taken_away() -> str:
    return os.environ.get("CHAOS_OFF", "")


def take_away() -> None:
    if taken_away() == "token":
        LeasedWork._change = _change_whoever_asks  # type: ignore[method-assign]
    if taken_away() == "rename":
        LocalArchive.store = _store_in_place  # type: ignore[method-assign]
    if taken_away() == "numbering":
        numbering._locked = _unlocked


def take_away_constraint() -> None:
    """Below the numbering lock the database refuses a number twice: the control drops that too."""
    if taken_away() != "numbering":
        return
    with connection.schema_editor() as editor:
        for constraint in Invoice._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint) and "number" in constraint.name:
                editor.remove_constraint(Invoice, constraint)


def _change_whoever_asks(self: LeasedWork, **values: Any) -> bool:
    """The token says too that the row is still being worked on: nothing else is asked."""
    return type(self)._base_manager.filter(pk=self.pk).update(**values) == 1


def _store_in_place(self: LocalArchive, content: bytes, *, folder: str, suffix: str) -> Stored:
    stored = self.place(content, folder=folder, suffix=suffix)
    if not self._keeps(stored.key, stored.sha256):
        path = self._path(stored.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            for piece in dripping([content]):
                file.write(piece)
    return stored


def _unlocked(rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    return rows
