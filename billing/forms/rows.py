"""A number for each of the rows that a page offers, such as invoices to pay.

    shares = RowNumbersField(prefix="share", number=AmountField())
    {% for row in form.rows %}<input name="share-{{ row.key }}" value="{{ row.text }}">

The rows' ids come in the names of the inputs, so the form says which of them it knows:

    self.parse_rows("shares", {"<id>": "INV-1"})     # -> {"<id>": Decimal}, blank and 0 left out

What is wrong with a row is said beside it (`form.row_errors`), and in the summary.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from billing.forms.shared import NumberField

MOST_ROWS = 1000


class _RowInputs(forms.Widget):
    """Gathers the inputs; the page's template writes them."""

    needs_multipart_form = False

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = f"{prefix}-"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        found = {
            key.removeprefix(self.prefix): str(data.get(key) or "").strip()
            for key in data
            if key.startswith(self.prefix)
        }
        return {key: text for key, text in found.items() if text}


class RowNumbersField(forms.Field):
    def __init__(self, *, prefix: str, number: NumberField, **options: Any) -> None:
        number.required = False
        self.number = number
        super().__init__(required=False, widget=_RowInputs(prefix), **options)

    def clean(self, value: Any) -> dict[str, str]:
        texts: dict[str, str] = value or {}
        if len(texts) > MOST_ROWS:
            raise ValidationError(f"At most {MOST_ROWS:,} rows at once.")
        return texts


class RowsMixin(forms.BaseForm):
    row_errors: dict[str, str]

    def typed_rows(self, name: str) -> dict[str, str]:
        """The texts by the row's id, as they were typed."""
        field: Any = self.fields[name]
        found: dict[str, str] = field.widget.value_from_datadict(self.data, {}, name)
        return found if self.is_bound else {}

    def parse_rows(self, name: str, known: Mapping[str, str], stranger: str) -> dict[str, Decimal]:
        """The numbers by the row's id; `known` names them, `stranger` is said of others."""
        field: Any = self.fields[name]
        numbers: dict[str, Decimal] = {}
        for key, text in (self.cleaned_data.get(name) or {}).items():
            if key not in known:
                self.add_error(name, stranger)
                return {}
            try:
                number = field.number.clean(text)
            except ValidationError as error:
                self.refuse_row(name, key, known[key], error.messages[0])
            else:
                if number:
                    numbers[key] = number
        return numbers

    def refuse_row(self, name: str, key: str, label: str, text: str) -> None:
        self.row_errors[key] = text
        self.add_error(name, f"{label}: {text}")
