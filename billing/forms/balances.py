"""Opening balances: a row a party on the page of balances.

A row holds what it was drawn with as hidden fields, so that only what this person changed is
saved, and not what somebody else changed meanwhile is turned back.
"""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from billing.forms.shared import AmountField, DayField, require_minor_units
from billing.models import Party
from billing.money import as_text
from billing.selectors.balances import balance_of

MOST_ROWS = 200


class SignedAmountField(AmountField):
    """An amount that may be negative: what the company owes the party."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=None, **options)

    def _require_plain(self, text: str) -> None:
        unsigned = text.removeprefix("-")
        if unsigned.startswith(("-", "−")):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        super()._require_plain(unsigned)


class BalanceForm(forms.Form):
    party = forms.UUIDField(widget=forms.HiddenInput)
    opening = SignedAmountField(
        label="Opening", required=False, css="form-control-sm", show_hidden_initial=True
    )
    opening_date = DayField(label="Opening date", required=False, show_hidden_initial=True)

    currency: str = ""
    record: Party | None = None

    def __init__(self, *args: Any, currency: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.currency = currency
        self.fields["opening_date"].widget.attrs["class"] = "form-control form-control-sm"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.currency:
            require_minor_units(self, "opening", self.currency)
        if "opening" in self.changed_data or "opening_date" in self.changed_data:
            self._require_date()
        return cleaned

    def _require_date(self) -> None:
        if self.errors.keys() & {"opening", "opening_date"}:
            return
        if self.cleaned_data.get("opening") and not self.cleaned_data.get("opening_date"):
            self.add_error("opening_date", "An opening balance needs its date.")


class BaseBalanceFormSet(forms.BaseFormSet[BalanceForm]):
    """`for_parties` draws it; `attach` gives each submitted row its party."""

    @classmethod
    def for_parties(cls, parties: Sequence[Party], currency: str) -> "BaseBalanceFormSet":
        drawn = BalanceFormSet(
            initial=[_facts(party, currency) for party in parties],
            form_kwargs={"currency": currency},
        )
        for form, party in zip(drawn.forms, parties, strict=True):
            form.record = party
        return drawn

    def party_ids(self) -> list[UUID]:
        """The parties that the submitted rows name; what is no id is left out."""
        found = []
        for form in self.forms:
            try:
                found.append(UUID(str(form["party"].value())))
            except ValueError:
                continue
        return found

    def attach(self, parties: Sequence[Party]) -> None:
        known = {str(party.pk): party for party in parties}
        for form in self.forms:
            form.record = known.get(str(form["party"].value()))

    def clean(self) -> None:
        named = self.party_ids()
        if len(named) != len(set(named)):
            raise ValidationError("A party stands in the list twice. Load the page again.")

    def changed(self) -> list[BalanceForm]:
        return [form for form in self.forms if {"opening", "opening_date"} & set(form.changed_data)]


def _facts(party: Party, currency: str) -> dict[str, Any]:
    balance = balance_of(party)
    return {
        "party": party.pk,
        "opening": as_text(balance.opening, currency) if balance.opening else None,
        "opening_date": balance.opening_date,
    }


BalanceFormSet = cast(
    type[BaseBalanceFormSet],
    forms.formset_factory(
        BalanceForm,
        formset=BaseBalanceFormSet,
        extra=0,
        max_num=MOST_ROWS,
        absolute_max=MOST_ROWS,
        validate_max=True,
    ),
)
