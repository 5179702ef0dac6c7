"""What lists can be narrowed by."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from documents.models import Batch, BatchItem, BatchState, Document, DocumentState
from documents.papers import paper_kinds
from documents.selectors import SKIPPED

_SELECT = {"class": "form-select form-select-sm"}
_INPUT = {"class": "form-control form-control-sm"}
_ITEM_STATES = [*DocumentState.choices, (SKIPPED, "skipped")]


def _search(label: str, placeholder: str) -> django_filters.CharFilter:
    return django_filters.CharFilter(
        label=label,
        method="search",
        widget=forms.TextInput(
            attrs=_INPUT
            | {
                "type": "search",
                "placeholder": placeholder,
                "data-search": True,
                "autocomplete": "off",
                "maxlength": 100,
            }
        ),
    )


def _state(choices: list[tuple[str, str]], **options: Any) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        label="State",
        choices=choices,
        empty_label="Any state",
        widget=forms.Select(attrs=_SELECT),
        **options,
    )


def _day(label: str, lookup: str, field: str) -> django_filters.DateFilter:
    return django_filters.DateFilter(
        label=label,
        field_name=field,
        lookup_expr=lookup,
        widget=forms.DateInput(attrs=_INPUT | {"type": "date"}),
    )


class _FilterSet(django_filters.FilterSet):  # type: ignore[misc]
    @property
    def is_narrowed(self) -> bool:
        return any(self.form.is_bound and self.form[name].data for name in self.filters)


class DocumentFilter(_FilterSet):
    """Periods match when they overlap the days that are asked for."""

    q = _search("Search", "Party or title")
    state = _state(DocumentState.choices)
    kind = django_filters.ChoiceFilter(
        label="Kind",
        choices=lambda: [(kind.name, kind.label) for kind in paper_kinds()],
        empty_label="Any kind",
        widget=forms.Select(attrs=_SELECT),
    )
    since = _day("Period from", "gte", "period_end")
    until = _day("to", "lte", "period_start")
    mine = django_filters.BooleanFilter(
        label="Requested by me",
        method="only_mine",
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    class Meta:
        model = Document
        fields: list[str] = []

    def search(self, rows: "QuerySet[Document]", name: str, value: str) -> "QuerySet[Document]":
        return rows.filter(
            Q(recipient_code__istartswith=value)
            | Q(recipient_name__icontains=value)
            | Q(title__icontains=value)
        )

    def only_mine(self, rows: "QuerySet[Document]", name: str, value: bool) -> Any:
        return rows.filter(requested_by=self.request.user) if value else rows


class BatchFilter(_FilterSet):
    q = _search("Search", "Title")
    state = _state(BatchState.choices)

    class Meta:
        model = Batch
        fields: list[str] = []

    def search(self, rows: "QuerySet[Batch]", name: str, value: str) -> "QuerySet[Batch]":
        return rows.filter(title__icontains=value)


class ItemFilter(_FilterSet):
    q = _search("Search", "Code or name")
    state = _state(_ITEM_STATES, method="in_state")

    class Meta:
        model = BatchItem
        fields: list[str] = []

    def search(self, rows: "QuerySet[BatchItem]", name: str, value: str) -> "QuerySet[BatchItem]":
        return rows.filter(Q(code__istartswith=value) | Q(name__icontains=value))

    def in_state(self, rows: "QuerySet[BatchItem]", name: str, value: str) -> Any:
        if value == SKIPPED:
            return rows.filter(document__isnull=True)
        return rows.filter(document__state=value)
