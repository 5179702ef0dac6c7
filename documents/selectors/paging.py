"""Pages by key: no page counts all rows, and none grows slower towards the end."""

from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from django.db import models
from django.http import QueryDict

RowT = TypeVar("RowT", bound=models.Model)


@dataclass(frozen=True)
class Edge:
    """Where a page begins: after a row, or before one. With neither it is the first page."""

    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        return cls(after=query.get("after", ""), before=query.get("before", ""))

    @property
    def is_first(self) -> bool:
        return not (self.after or self.before)


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """Rows, and the keys that lead on: None where there is nothing more."""

    rows: list[RowT]
    previous: str | None
    next: str | None
    is_first: bool


def newest_first(
    rows: "models.QuerySet[RowT]", *, all_rows: "models.QuerySet[RowT]", edge: Edge, size: int
) -> Page[RowT]:
    """A page of `rows`, newest first, beyond the row of `all_rows` whose id `edge` names."""
    return by_column(
        rows, all_rows=all_rows, column="created_at", descending=True, edge=edge, size=size
    )


def by_column(
    rows: "models.QuerySet[RowT]",
    *,
    all_rows: "models.QuerySet[RowT]",
    column: str,
    descending: bool,
    edge: Edge,
    size: int,
) -> Page[RowT]:
    """A page of `rows` in the order of a column that is never null, then of the id.

    It begins beyond the row of `all_rows` whose id `edge` names. The database compares with its
    own copy of that row's value, so no precision is lost on the way.
    """
    key = _uuid(edge.before or edge.after)
    backwards = bool(edge.before) and key is not None
    sign = "-" if descending != backwards else ""
    ordered = rows.order_by(f"{sign}{column}", f"{sign}id")
    if key is None:
        return _page(list(ordered[: size + 1]), size, Edge(), _id)
    at = models.Subquery(all_rows.filter(pk=key).order_by().values(column)[:1])
    way = "lt" if sign else "gt"
    beyond = ordered.filter(
        models.Q(**{f"{column}__{way}": at}) | models.Q(**{column: at, f"id__{way}": key}),
        **{f"{column}__{way}e": at},  # what an index can begin at
    )
    return _page(list(beyond[: size + 1]), size, edge, _id)


def by_position(rows: "models.QuerySet[RowT]", *, edge: Edge, size: int) -> Page[RowT]:
    """A page of rows that are numbered by `position`."""
    key = _whole_number(edge.before or edge.after)
    if key is None:
        return _page(list(rows.order_by("position")[: size + 1]), size, Edge(), _position)
    if edge.before:
        earlier = rows.filter(position__lt=key).order_by("-position")
        return _page(list(earlier[: size + 1]), size, edge, _position)
    later = rows.filter(position__gt=key).order_by("position")
    return _page(list(later[: size + 1]), size, edge, _position)


def _page(found: list[RowT], size: int, edge: Edge, key: Any) -> Page[RowT]:
    """`found` is one row longer than the page when there is more in its direction."""
    rows, more = found[:size], len(found) > size
    if edge.before:
        rows.reverse()
    first, last = (key(rows[0]), key(rows[-1])) if rows else (None, None)
    if edge.before:
        return Page(rows, first if more else None, last, is_first=not more)
    return Page(rows, None if edge.is_first else first, last if more else None, edge.is_first)


def _id(row: Any) -> str:
    return str(row.pk)


def _position(row: Any) -> str:
    return str(row.position)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
