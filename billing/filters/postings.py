"""What the lists of payments, returns, challans and parties can be narrowed by."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from billing.filters.shared import (
    ListFilter,
    at_least,
    at_most,
    by_party,
    by_state,
    from_day,
    search,
    to_day,
)
from billing.models import Challan, ChallanState, Party, Payment, PaymentMethod, Return

VALID, VOID = "valid", "void"
_INACTIVE, _ALL = "inactive", "all"


def _choice(label: str, choices: Any, empty: str, **options: Any) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        label=label,
        choices=choices,
        empty_label=empty,
        widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
        **options,
    )


class PaymentFilter(ListFilter):
    numbers = ("payment_number", "reference")

    q = search("Number, party or reference")
    party = by_party()
    method = _choice("Method", PaymentMethod.choices, "Any method")
    state = by_state([(VALID, "valid"), (VOID, "void")], method="in_state")
    since, until = from_day("payment_date"), to_day("payment_date")
    least, most = at_least("amount"), at_most("amount")

    class Meta(ListFilter.Meta):
        model = Payment

    def in_state(self, rows: "QuerySet[Payment]", name: str, value: str) -> Any:
        return rows.filter(voided_at__isnull=value == VALID)


class ReturnFilter(ListFilter):
    numbers = ("return_number",)

    q = search("Number or party")
    party = by_party()
    since, until = from_day("return_date"), to_day("return_date")
    least, most = at_least("total"), at_most("total")

    class Meta(ListFilter.Meta):
        model = Return


class ChallanFilter(ListFilter):
    numbers = ("challan_number", "reference", "vehicle")

    q = search("Number, party, reference, vehicle")
    party = by_party()
    state = by_state(ChallanState.choices)
    since, until = from_day("challan_date"), to_day("challan_date")

    class Meta(ListFilter.Meta):
        model = Challan


class PartyFilter(ListFilter):
    """Active parties, unless others are asked for."""

    q = search("Code or name")
    active = _choice(
        "Use", [(_INACTIVE, "Inactive"), (_ALL, "Active and inactive")], "Active", method="in_use"
    )

    class Meta(ListFilter.Meta):
        model = Party

    def filter_queryset(self, queryset: "QuerySet[Party]") -> Any:
        rows = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("active") else rows.filter(is_active=True)

    def in_use(self, rows: "QuerySet[Party]", name: str, value: str) -> Any:
        return rows.filter(is_active=False) if value == _INACTIVE else rows

    def search(self, rows: "QuerySet[Party]", name: str, value: str) -> Any:
        text = " ".join(value.split())
        return rows.filter(Q(code__istartswith=text) | Q(name__icontains=text))
