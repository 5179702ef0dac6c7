"""What the page of balances can be narrowed by."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from billing.filters.shared import ListFilter, search
from billing.models import Party
from billing.selectors.balances import OVER_LIMIT

_STANDINGS = {
    "owing": ("Owes", Q(balance__current__gt=0)),
    "credit": ("In credit", Q(balance__current__lt=0)),
    "over": ("Over the limit", OVER_LIMIT),
    "even": ("Even", Q(balance__current=0) | Q(balance__isnull=True)),
}


class BalanceFilter(ListFilter):
    q = search("Code or name")
    standing = django_filters.ChoiceFilter(
        label="Balance",
        method="in_standing",
        choices=[(name, label) for name, (label, _) in _STANDINGS.items()],
        empty_label="Any balance",
        widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
    )

    class Meta(ListFilter.Meta):
        model = Party

    def search(self, rows: "QuerySet[Any]", name: str, value: str) -> "QuerySet[Any]":
        text = " ".join(value.split())
        return rows.filter(Q(code__istartswith=text) | Q(name__icontains=text))

    def in_standing(self, rows: "QuerySet[Any]", name: str, value: str) -> "QuerySet[Any]":
        return rows.filter(_STANDINGS[value][1])
