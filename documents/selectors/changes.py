"""What changed between two versions of a paper: their frozen facts, compared.

The engine does not know what the facts mean. Fields are told apart by their place in the snapshot
and named from it, unless the kind of paper has words of its own. Rows of a list are the same row
when they say the same in words; where only their numbers differ the row has changed.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from documents import formatting
from documents.models import Document
from documents.papers import paper_kinds

# So many rows of a list are shown of each sort, and so much of a text.
MOST_ROWS = 50
MOST_TEXT = 300

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_AMOUNT = re.compile(r"-?\d{1,15}\.\d{2,3}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
Row = tuple[str, ...]


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class RowChange:
    """The row in words, and those of its cells that differ."""

    text: str
    cells: list[FieldChange]


@dataclass
class ListChange:
    """A list whose rows differ. The counts are whole, the rows shown are `MOST_ROWS` of a sort."""

    label: str
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[RowChange] = field(default_factory=list)
    added_count: int = 0
    removed_count: int = 0
    changed_count: int = 0
    is_reordered: bool = False

    @property
    def unshown(self) -> int:
        shown = len(self.added) + len(self.removed) + len(self.changed)
        return self.added_count + self.removed_count + self.changed_count - shown


@dataclass
class Changes:
    fields: list[FieldChange] = field(default_factory=list)
    lists: list[ListChange] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.fields or self.lists)


def changes_between(before: Document, after: Document, *, locale: str) -> Changes:
    """Both with their snapshots. Dates are written as `locale` does."""
    words = _Words(after.kind, locale)
    found = Changes(fields=list(_of_the_template(before, after)))
    _compare(before.snapshot, after.snapshot, (), words, found)
    return found


def _of_the_template(before: Document, after: Document) -> Iterator[FieldChange]:
    if before.template_version != after.template_version:
        old, new = before.template_version, after.template_version
        yield FieldChange("Template", f"version {old}", f"version {new}")


class _Words:
    """Names of places in a snapshot, and values as people write them."""

    def __init__(self, kind: str, locale: str) -> None:
        kinds = (known.labels for known in paper_kinds() if known.name == kind)
        self._labels: Mapping[str, str] = next(kinds, {})
        self._locale = formatting.parse_locale(locale)

    def label(self, path: tuple[str, ...]) -> str:
        known = self._labels.get(".".join(path))
        return known or ": ".join(_plain(part) for part in path) or "All"

    def column(self, path: tuple[str, ...], place: int | str) -> str:
        known = self._labels.get(".".join((*path, str(place))))
        return known or (_plain(place) if isinstance(place, str) else f"Column {place + 1}")

    def value(self, value: Any) -> str:
        text = self._text(value)
        return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} …"

    def _text(self, value: Any) -> str:
        if value is None or value in ("", [], {}):
            return "–"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, dict) and "sha256" in value:
            return f"file {str(value['sha256'])[:8]}"
        if isinstance(value, dict):
            return ", ".join(f"{_plain(key)} {self._text(part)}" for key, part in value.items())
        if isinstance(value, list):
            return "\n".join(self._text(part) for part in value)
        if isinstance(value, str) and _DAY.fullmatch(value):
            return self._day(value)
        if isinstance(value, str) and _AMOUNT.fullmatch(value):
            places = "0" * len(value.partition(".")[2])
            return str(format_decimal(Decimal(value), f"#,##0.{places}", locale=self._locale))
        return str(value)

    def _day(self, text: str) -> str:
        try:
            return str(format_date(date.fromisoformat(text), "medium", locale=self._locale))
        except ValueError:
            return text


def _plain(name: str) -> str:
    """`tax_id` -> `Tax id`."""
    return name.replace("_", " ").strip().capitalize()


def _compare(before: Any, after: Any, path: tuple[str, ...], words: _Words, found: Changes) -> None:
    if before == after:
        return
    if _is_group(before) and _is_group(after):
        for name in dict.fromkeys([*before, *after]):
            _compare(before.get(name), after.get(name), (*path, str(name)), words, found)
    elif _has_rows(before) or _has_rows(after):
        found.lists.append(_compare_rows(before or [], after or [], path, words))
    else:
        found.fields.append(FieldChange(words.label(path), words.value(before), words.value(after)))


def _is_group(value: Any) -> bool:
    return isinstance(value, dict) and "sha256" not in value


def _has_rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(row, list | dict) for row in value)


def _compare_rows(
    before: list[Any], after: list[Any], path: tuple[str, ...], words: _Words
) -> ListChange:
    """In a time that grows with the rows, not with their square."""
    found = ListChange(words.label(path))
    waiting: defaultdict[Row, deque[Any]] = defaultdict(deque)
    for row in before:
        waiting[_key(row)].append(row)
    added = []
    for row in after:
        same = waiting[_key(row)]
        old = same.popleft() if same else None
        if old is None:
            added.append(row)
        elif old != row:
            found.changed_count += 1
            if found.changed_count <= MOST_ROWS:
                found.changed.append(_row_change(old, row, path, words))
    removed = [row for rows in waiting.values() for row in rows]
    found.added_count, found.removed_count = len(added), len(removed)
    found.added, found.removed = _shown(added, words), _shown(removed, words)
    found.is_reordered = not (added or removed or found.changed_count)
    return found


def _shown(rows: list[Any], words: _Words) -> list[str]:
    return [_row_text(row, words) for row in rows[:MOST_ROWS]]


def _cells(row: Any) -> dict[int | str, Any]:
    if isinstance(row, dict):
        return dict(row)
    return dict(enumerate(row)) if isinstance(row, list) else {0: row}


def _key(row: Any) -> Row:
    """What the row says in words, its numbers left out; all of it where there are no words."""
    texts = [str(cell) for cell in _cells(row).values() if cell not in (None, "")]
    return tuple(text for text in texts if not _NUMBER.fullmatch(text)) or tuple(texts)


def _row_change(before: Any, after: Any, path: tuple[str, ...], words: _Words) -> RowChange:
    old, new = _cells(before), _cells(after)
    differing = [place for place in dict.fromkeys([*old, *new]) if old.get(place) != new.get(place)]
    cells = [
        FieldChange(
            words.column(path, place), words.value(old.get(place)), words.value(new.get(place))
        )
        for place in differing
    ]
    return RowChange(_in_words(_key(after), words), cells)


def _row_text(row: Any, words: _Words) -> str:
    return _in_words((cell for cell in _cells(row).values() if cell not in (None, "")), words)


def _in_words(cells: Iterable[Any], words: _Words) -> str:
    return " · ".join(words.value(cell) for cell in cells)
