"""The filters that lists share. How to use it:

    class PaymentFilter(ListFilter):
        numbers = ("payment_number", "reference")     # columns of texts that a search begins in;
                                                      # the first is the printed number
        q = search("Number, party or reference")
        party = by_party()
        since, until = from_day("payment_date"), to_day("payment_date")
        least, most = at_least("amount"), at_most("amount")

        class Meta(ListFilter.Meta):
            model = Payment

What can't be read is an error beside its field and narrows nothing.
"""

from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import QuerySet

from billing.forms.shared import AmountField, DayField, PartyField, short_text
from billing.selectors.lists import search_papers

_SMALL = "form-control-sm"


class _Search(django_filters.Filter):  # type: ignore[misc]
    field_class = forms.CharField

    @property
    def field(self) -> forms.Field:
        made = short_text(100, label=self.label, css=_SMALL)
        placeholder = self.extra["placeholder"]
        made.widget.input_type = "search"
        made.widget.attrs |= {"placeholder": placeholder, "data-search": True}
        return made


class _Made(django_filters.Filter):  # type: ignore[misc]
    """A filter with one of our own fields."""

    @property
    def field(self) -> forms.Field:
        field: forms.Field = self.extra["make"](label=self.label, required=False)
        field.widget.attrs["class"] += f" {self.extra.get('css', _SMALL)}"
        return field


def search(placeholder: str) -> django_filters.Filter:
    return _Search(label="Search", method="search", placeholder=placeholder)


def by_party() -> django_filters.Filter:
    return _Made(label="Party", field_name="party", make=PartyField, css="form-select-sm")


def from_day(column: str, label: str = "From") -> django_filters.Filter:
    return _Made(label=label, field_name=column, lookup_expr="gte", make=DayField)


def to_day(column: str, label: str = "to") -> django_filters.Filter:
    return _Made(label=label, field_name=column, lookup_expr="lte", make=DayField)


def at_least(column: str, label: str = "Amount from") -> django_filters.Filter:
    return _Made(label=label, field_name=column, lookup_expr="gte", make=AmountField)


def at_most(column: str, label: str = "to") -> django_filters.Filter:
    return _Made(label=label, field_name=column, lookup_expr="lte", make=AmountField)


def by_state(choices: Any, **options: Any) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        label="State",
        choices=choices,
        empty_label="Any state",
        widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
        **options,
    )


def only(label: str, method: str) -> django_filters.BooleanFilter:
    """A box to tick; `method` narrows the rows when it is."""
    box = forms.CheckboxInput(attrs={"class": "form-check-input"})
    return django_filters.BooleanFilter(label=label, method=method, widget=box)


class ListFilter(django_filters.FilterSet):  # type: ignore[misc]
    numbers: ClassVar[tuple[str, ...]] = ()

    class Meta:
        fields: ClassVar[list[str]] = []

    @property
    def form(self) -> forms.Form:
        made: forms.Form = super().form
        if isinstance(made.fields.get("party"), PartyField):
            made.fields["party"].company = self.request.company  # type: ignore[attr-defined]
        return made

    @property
    def is_narrowed(self) -> bool:
        return any(self.form.is_bound and self.form[name].data for name in self.filters)

    def search(self, rows: "QuerySet[Any]", name: str, value: str) -> "QuerySet[Any]":
        """With a party chosen, its own name is nothing to look for."""
        text = " ".join(value.split())
        parties = not self.form.cleaned_data.get("party")
        return search_papers(rows, self.request.company, text, *self.numbers, parties=parties)
