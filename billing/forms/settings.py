"""How the company sells, its numbers, and up to when its books are closed."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.looks import dress
from accounts.models import Company
from accounts.models.companies import validate_currency
from accounts.payment_links import validate_payment_url_pattern
from billing.forms.shared import DayField, NumberField, long_text
from billing.models import Series
from billing.money import minor_unit
from billing.numbering import default_pattern, validate_pattern

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MOST_RATES = 20


class TaxRatesField(forms.CharField):
    """Rates in per cent, one a line; kept as a list of texts without needless zeros."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4, "class": "form-control"}))
        super().__init__(required=False, max_length=400, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = [
            line.strip().removesuffix("%").strip() for line in super().clean(value).split("\n")
        ]
        rates = dict.fromkeys(self._rate(line) for line in lines if line)
        if len(rates) > _MOST_RATES:
            raise ValidationError(f"At most {_MOST_RATES} rates.")
        return [f"{rate.normalize():f}" for rate in rates]

    def _rate(self, text: str) -> Decimal:
        try:
            rate = Decimal(text if text.isascii() else "none")
        except InvalidOperation:
            raise ValidationError(f"{text[:20]!r} is no rate: write 7.7, one a line.") from None
        if not rate.is_finite() or not 0 <= rate <= 100 or rate != round(rate, 4):
            raise ValidationError(f"{text[:20]!r} must lie between 0 and 100, with 4 decimals.")
        return abs(rate)


class SellingForm(forms.Form):
    currency = forms.CharField(
        max_length=3,
        help_text="Of the whole books: it stays once something is entered.",
    )
    fiscal_year_start_month = forms.TypedChoiceField(
        label="Fiscal year begins in", choices=list(enumerate(_MONTHS, start=1)), coerce=int
    )
    tax_rates = TaxRatesField(help_text="In per cent, one a line: what forms offer.")
    prices_include_tax = forms.BooleanField(
        required=False, help_text="Of new invoices: 100.00 at 20 % then holds 16.67 of tax."
    )
    total_rounding_step = NumberField(
        digits=6,
        places=3,
        required=False,
        help_text="Totals become a multiple of this, such as 0.05 or 1.00. 0: not rounded.",
    )
    payment_terms_days = forms.IntegerField(
        label="Days to pay", min_value=0, max_value=3650, help_text="Of parties that are added."
    )
    terms = long_text(5000, rows=4, help_text="Printed on invoices.")
    payment_url_pattern = forms.CharField(
        label="Payment link",
        required=False,
        max_length=300,
        validators=[validate_payment_url_pattern],
        help_text="Printed on invoices as a QR code. {number}, {amount} and {currency} are filled"
        " in: https://pay.example.com/?ref={number}&amount={amount}. Empty: the code leads to the"
        " page that verifies the paper.",
    )

    def __init__(self, data: Any = None, *, company: Company) -> None:
        initial = {name: getattr(company, name) for name in self.base_fields}
        super().__init__(data, initial=initial)
        dress(self)

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        validate_currency(currency)
        return currency

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        step, currency = cleaned.get("total_rounding_step") or Decimal(0), cleaned.get("currency")
        cleaned["total_rounding_step"] = step
        if currency and step % minor_unit(currency):
            unit = minor_unit(currency)
            self.add_error("total_rounding_step", f"A step of {currency} is a multiple of {unit}.")
        return cleaned


class NumbersForm(forms.Form):
    """A field a series; empty means the default."""

    def __init__(self, data: Any = None, *, company: Company) -> None:
        super().__init__(data)
        for series in Series:
            self.fields[series.value] = forms.CharField(
                label=str(series.label).capitalize(),
                required=False,
                max_length=100,
                initial=company.number_patterns.get(series.value, ""),
                widget=forms.TextInput(
                    attrs={"placeholder": default_pattern(series), "autocomplete": "off"}
                ),
            )
        dress(self)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, pattern in list(cleaned.items()):
            if pattern:
                self._check(name, pattern)
        self._require_different(cleaned)
        return cleaned

    def _check(self, name: str, pattern: str) -> None:
        try:
            validate_pattern(pattern)
        except ValidationError as error:
            self.add_error(name, error)

    def _require_different(self, cleaned: dict[str, Any]) -> None:
        """Two series of one pattern would print the same number on two kinds of paper."""
        seen: dict[str, str] = {}
        for series in Series:
            pattern = cleaned.get(series.value) or default_pattern(series)
            if pattern in seen:
                self.add_error(series.value, "Another series has this pattern already.")
            seen[pattern] = series.value

    def patterns(self) -> dict[str, str]:
        return {name: pattern for name, pattern in self.cleaned_data.items() if pattern}


class BooksForm(forms.Form):
    until = DayField(
        label="Closed up to and including",
        required=False,
        help_text="Nothing is posted, changed or voided up to this day. Empty: all is open.",
    )
