"""Many rows of one table at once, by PostgreSQL's COPY."""

import io
from typing import Any

from django.db import connection, models


class Table:
    """Rows of a model; what a row leaves out is as the model has it by default."""

    def __init__(self, model: type[models.Model]) -> None:
        self._name = model._meta.db_table
        fields = [field for field in model._meta.concrete_fields if not _is_given(field)]
        blank = model()
        self._defaults = {
            field.attname: _as_text(getattr(blank, field.attname)) for field in fields
        }
        self._columns = ", ".join(f'"{field.column}"' for field in fields)
        self._text = io.StringIO()
        self.waiting = 0

    def add(self, values: dict[str, Any]) -> None:
        row = self._defaults | {name: _as_text(value) for name, value in values.items()}
        if len(row) != len(self._defaults):
            raise ValueError(f"{self._name} has no {values.keys() - self._defaults.keys()}.")
        self._text.write("\t".join(row.values()))
        self._text.write("\n")
        self.waiting += 1

    def flush(self) -> None:
        self._text.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert(f'COPY "{self._name}" ({self._columns}) FROM STDIN', self._text)
        self._text = io.StringIO()
        self.waiting = 0


def _is_given(field: models.Field[Any, Any]) -> bool:
    """Whether the database itself knows what to write."""
    return isinstance(field, models.AutoField) or field.has_db_default()


def _as_text(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\n", "\\n")
    return str(value)
