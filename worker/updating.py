"""A conditional UPDATE that gives back the row as it then is: one statement instead of two."""

from typing import Any, TypeVar, cast

from django.db import connections, models
from django.db.models.sql import UpdateQuery

RowT = TypeVar("RowT", bound=models.Model)


def update_one(rows: "models.QuerySet[RowT]", **values: Any) -> RowT | None:
    """Change the one row that `rows` may hold; None if it holds none."""
    query = cast(UpdateQuery, rows.query.chain(UpdateQuery))
    query.add_update_values(values)
    sql, parameters = query.get_compiler(connection=connections[rows.db]).as_sql()
    found = rows.model._base_manager.using(rows.db).raw(f"{sql} RETURNING *", parameters)
    return next(iter(found), None)
