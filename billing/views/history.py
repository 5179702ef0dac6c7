"""The history fragment of any record: who, when, what was before and after.

    path("<uuid:pk>/history/", views.HistoryView.as_view(rows=invoices_of), name="invoice_history")

`rows` takes the company and gives the queryset the record is found in. In the page:
{% include "billing/parts/slot.html" with slot_url=history_url slot_title="History" %}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from auditlog.models import LogEntry
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpResponse
from django.utils.text import capfirst

from accounts.access import CompanyRequest
from accounts.models import Company
from billing.audit import history_of
from billing.models import Party
from billing.views.shared import FragmentMixin, RecordMixin

SHOWN = 50
NOTHING = "–"
_EMPTY = {"None", "", "null"}
# Facts that say nothing to a reader.
_UNSAID = {
    "id",
    "company",
    "created_by",
    "created_at",
    "updated_at",
    "is_active",
    "voided_at",
    "issued_at",
}
_WORDS = {
    LogEntry.Action.CREATE: "created",
    LogEntry.Action.UPDATE: "changed",
    LogEntry.Action.DELETE: "deleted",
}


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    who: str
    when: datetime
    did: str
    changes: list[Change]


class HistoryView(FragmentMixin, RecordMixin):
    def find(self, pk: UUID) -> Any:
        """The party comes along, for most entries name it."""
        rows, company = self.rows, self.request.company
        if any(field.name == "party" for field in rows(company).model._meta.fields):
            self.rows = lambda company: rows(company).select_related("party")
        return super().find(pk)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        logged = list(history_of(self.record)[: SHOWN + 1])
        names = _party_names(request.company, self.record, logged)
        context = {
            "entries": [_entry(row, self.record, names) for row in logged[:SHOWN]],
            "more": len(logged) > SHOWN,
        }
        return self.page("billing/parts/history.html", context)


def _entry(row: Any, record: models.Model, names: Mapping[str, str]) -> Entry:
    changes = [
        _change(record, name, pair, names)
        for name, pair in (row.changes or {}).items()
        if name not in _UNSAID and _is_told(record, name) and not _same(*pair)
    ]
    who = str(row.actor) if row.actor else row.actor_email or "the system"
    did = _WORDS.get(row.action, "changed")
    return Entry(who, row.timestamp, did, sorted(changes, key=lambda change: change.label))


def _change(record: models.Model, name: str, pair: list[Any], names: Mapping[str, str]) -> Change:
    field = _field(record, name)
    label = capfirst(str(getattr(field, "verbose_name", name.replace("_", " "))))
    before, after = (_words(field, str(value), names) for value in pair)
    return Change(label, before, after)


def _is_told(record: models.Model, name: str) -> bool:
    """Not what other rows say of this one: auditlog notes those as `billing.Payment.None`.

    `items` is told all the same, for the services note the lines in words.
    """
    return name == "items" or not getattr(_field(record, name), "auto_created", False)


def _field(record: models.Model, name: str) -> Any:
    try:
        return record._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _words(field: Any, value: str, names: Mapping[str, str]) -> str:
    """The value as a reader knows it: the label of a choice, the name of a party."""
    if _is_nothing(value):
        return NOTHING
    if getattr(field, "choices", None):
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.BooleanField):
        return {"True": "yes", "False": "no"}.get(value, value)
    number = _number(value) if isinstance(field, models.DecimalField) else None
    return names.get(value, value) if number is None else f"{number.normalize():f}"


def _is_nothing(value: str) -> bool:
    return value in _EMPTY or (value.startswith("billing.") and value.endswith(".None"))


def _same(before: Any, after: Any) -> bool:
    """Nothing became nothing, or 0 became 0.000."""
    texts = [NOTHING if _is_nothing(str(value)) else str(value) for value in (before, after)]
    numbers = [_number(text) for text in texts]
    if None not in numbers:
        return numbers[0] == numbers[1]
    return texts[0] == texts[1] or (texts[0] == NOTHING and numbers[1] == 0)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _party_names(company: Company, record: models.Model, logged: list[Any]) -> dict[str, str]:
    """The names of the parties that the entries mention, read at once."""
    wanted = {
        str(value)
        for row in logged
        for value in (row.changes or {}).get("party", [])
        if isinstance(row.changes, dict) and str(value) not in _EMPTY
    }
    known = getattr(record, "party", None) if "party" in record._state.fields_cache else None
    if not wanted or (known is not None and wanted == {str(known.pk)}):
        return {str(known.pk): str(known)} if known else {}
    parties = Party.all_objects.for_company(company).filter(pk__in=_uuids(wanted))
    return {str(party.pk): str(party) for party in parties}


def _uuids(texts: set[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
