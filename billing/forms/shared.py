"""Fields that the forms of billing share: what people type, refused clearly or kept as it is.

    amount = AmountField(label="Amount")                # money: 15 digits, 3 after the point
    quantity = NumberField(digits=15, places=3)         # never NaN, 1e308, "1,00" or "١٢"
    party = PartyField()                                # found by typing; give it the company:
    self.fields["party"].company = company              # in the form's __init__
    notes = long_text(10_000)                           # a text area that says its limit

Every widget has its Bootstrap class, its errors beside it and `aria-describedby`, when the
template writes it with {% include "billing/parts/field.html" with field=form.amount %}.
`require_minor_units(form, "amount", currency)` refuses 0.005 GBP.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy

from accounts.models import Company
from billing.models import Party
from billing.money import round_money

# Plain digits: a comma means one thing here and another there, so it is never guessed at.
_PLAIN = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", re.ASCII)
_REASON_LENGTH = 200


class NumberField(forms.DecimalField):
    """A number that is not negative, of `digits` in all with `places` after the point."""

    default_error_messages = {
        "invalid": "Write a plain number such as 1234.50.",
        "comma": "Write the number with a point and no commas, such as 1234.50.",
        "negative": "The number must not be negative.",
        "min_value": "The number must be at least %(limit_value)s.",
        "max_value": "The number must be at most %(limit_value)s.",
    }

    def __init__(self, *, digits: int, places: int, css: str = "", **options: Any) -> None:
        attrs = {
            "class": f"form-control figures {css}".strip(),
            "inputmode": "decimal",
            "autocomplete": "off",
            "maxlength": digits + 2,
        }
        options.setdefault("widget", forms.TextInput(attrs=attrs))
        options.setdefault("min_value", Decimal(0))
        super().__init__(max_digits=digits, decimal_places=places, **options)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str):
            value = value.strip()
            self._require_plain(value)
        return super().to_python(value)

    def _require_plain(self, text: str) -> None:
        if not text or _PLAIN.fullmatch(text):
            return
        code = "invalid"
        if "," in text and _PLAIN.fullmatch(text.replace(",", "")):
            code = "comma"
        elif text[0] in "-−" and _PLAIN.fullmatch(text[1:]):
            code = "negative"
        raise ValidationError(self.error_messages[code], code=code)

    def prepare_value(self, value: Any) -> Any:
        """1.5000 is shown as 1.5, and 100 as 100, not as 1E+2."""
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class AmountField(NumberField):
    def __init__(self, **options: Any) -> None:
        super().__init__(digits=18, places=3, **options)


class PercentField(NumberField):
    def __init__(self, **options: Any) -> None:
        super().__init__(digits=7, places=4, max_value=Decimal(100), **options)


def require_minor_units(form: forms.BaseForm, name: str, currency: str) -> None:
    """Put an error beside an amount that is not in whole minor units of the currency."""
    amount = form.cleaned_data.get(name)
    if amount is not None and amount != round_money(amount, currency):
        form.add_error(name, f"{currency} has no such fraction as in {amount}.")


class DayField(forms.DateField):
    def __init__(self, **options: Any) -> None:
        attrs = {"class": "form-control", "type": "date", "min": "1900-01-01", "max": "2999-12-31"}
        options.setdefault("widget", forms.DateInput(format="%Y-%m-%d", attrs=attrs))
        options.setdefault("input_formats", ["%Y-%m-%d"])
        super().__init__(**options)
        self.error_messages["invalid"] = "Write the date as 2026-10-31."

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day is not None and not 1900 <= day.year <= 2999:
            raise ValidationError("The year must lie between 1900 and 2999.")
        return day


def short_text(length: int, **options: Any) -> forms.CharField:
    """One line. The browser is not told the limit of what is pasted: the server names it."""
    css = options.pop("css", "")
    attrs = {"class": f"form-control {css}".strip(), "autocomplete": "off"}
    options.setdefault("required", False)
    return forms.CharField(max_length=length, widget=forms.TextInput(attrs=attrs), **options)


class LongText(forms.CharField):
    """Browsers end lines by CR and LF: kept as LF, or what nobody changed would look changed."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


def long_text(length: int, *, rows: int = 3, **options: Any) -> forms.CharField:
    attrs = {"class": f"form-control {options.pop('css', '')}".strip(), "rows": rows}
    options.setdefault("required", False)
    return LongText(max_length=length, widget=forms.Textarea(attrs=attrs), **options)


def clean_reason(text: str) -> str:
    """The reason of a void or a cancellation. Raises ValidationError naming `reason`."""
    try:
        return str(short_text(_REASON_LENGTH, required=True).clean(text))
    except ValidationError as error:
        said = error.messages[0] if text.strip() else "Say why."
        raise ValidationError({"reason": f"A reason is needed. {said}"}) from error


def token_of(text: str) -> UUID | None:
    """What a form was given, so that sending it twice starts one thing; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None


class PartyPicker(forms.Select):
    """A select that holds the chosen party only; static/js/picker.js finds the others by typing.

    Without JavaScript it offers no choice but the chosen one: see `templates/billing/parts`.
    """

    label_of: Callable[[Any], str]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        # A value that is no party's is not offered again.
        label = self.label_of(value) if value else ""
        self.choices = [("", ""), *([(str(value), label)] if label else [])]
        return super().get_context(name, value, attrs)


class PartyField(forms.Field):
    """A party of the company. Set `company` before the field cleans or draws itself."""

    company: Company | None = None
    default_error_messages = {
        "required": "Choose a party.",
        "invalid": "There is no such party.",
    }

    def __init__(self, **options: Any) -> None:
        attrs = {"class": "form-select", "data-picker": reverse_lazy("billing:party_options")}
        options.setdefault("widget", PartyPicker(attrs=attrs))
        super().__init__(**options)
        self.widget.label_of = self._label
        self._known: Party | None = None

    def __deepcopy__(self, memo: Any) -> "PartyField":
        copied: PartyField = super().__deepcopy__(memo)
        copied.widget.label_of = copied._label
        return copied

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Party):
            self._known = value
            return str(value.pk)
        return value

    def to_python(self, value: Any) -> Party | None:
        if value in self.empty_values:
            return None
        found = self._find(value)
        if found is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) or "") != str(self.prepare_value(data) or "")

    def _label(self, value: Any) -> str:
        found = self._find(value)
        return f"{found.code} · {found.name}" if found else ""

    def _find(self, value: Any) -> Party | None:
        try:
            key = UUID(str(value))
        except ValueError:
            return None
        if self._known is None or self._known.pk != key:
            if self.company is None:
                raise TypeError("PartyField.company is not set.")
            self._known = Party.objects.for_company(self.company).filter(pk=key).first()
        return self._known
