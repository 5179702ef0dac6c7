"""What the pages of billing write: fields with their errors, amounts, days and states.

{% load billing %}  {% described form.amount %}  {{ amount|money_for:company }}
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

from accounts.models import Company
from billing.forms.items import BaseItemFormSet, ItemForm
from billing.money import minor_unit
from documents import formatting
from documents.templatetags.display import money, state_mark

register = template.Library()


@register.simple_tag
def described(field: BoundField, labelled: bool = False) -> SafeString:
    """The field, tied to its help and its errors; `labelled`: its label is not beside it."""
    attrs: dict[str, Any] = {}
    notes = []
    if field.errors:
        attrs["aria-invalid"] = "true"
        attrs["class"] = f"{field.field.widget.attrs.get('class', '')} is-invalid".strip()
        notes.append(f"{field.auto_id}-errors")
    if field.help_text and not labelled:
        notes.append(f"{field.auto_id}-help")
    if notes:
        attrs["aria-describedby"] = " ".join(notes)
    if labelled:
        attrs["aria-label"] = str(field.label)
    return field.as_widget(attrs=attrs)


@dataclass(frozen=True)
class Wrong:
    """One error of the summary: the field it is about, and what is wrong."""

    target: str
    label: str
    text: str


@register.simple_tag
def wrongs(form: Any, lines: BaseItemFormSet | None = None) -> list[Wrong]:
    found = _of_form(form) if form.is_bound else []
    if lines is not None and lines.is_bound:
        found += [Wrong("lines-title", "Lines", str(text)) for text in lines.non_form_errors()]
        for place, row in enumerate(lines.forms, start=1):
            found += _of_form(row, f"Line {place}, ")
    return found[:50]


def _of_form(form: Any, before: str = "") -> list[Wrong]:
    found = [Wrong("", "", f"{before}{text}") for text in form.non_field_errors()]
    for name in form.errors:
        if name in form.fields:
            field = form[name]
            label = f"{before}{field.label}"
            found += [Wrong(field.auto_id, label, str(text)) for text in field.errors]
    return found


@register.filter
def line_fields(row: ItemForm) -> list[BoundField]:
    return [row[name] for name in row.content]


@register.filter
def line_heads(row: ItemForm) -> list[tuple[str, str]]:
    return [(name, str(row.fields[name].label)) for name in row.content]


@register.filter
def money_for(value: Decimal | None, company: Company) -> str:
    """`£1,234.50`, in the company's currency and locale."""
    return money(None if value is None else Decimal(value), company.currency, company)


@register.filter
def plain(value: Decimal | None) -> str:
    """`2.5` for 2.500: quantities, prices and rates without the column's spare places."""
    return "" if value is None else f"{Decimal(value).normalize():f}"


@register.filter
def price_for(value: Decimal, company: Company) -> str:
    """`5.60`, and `0.3355` where a price has more places than the currency."""
    least = -int(minor_unit(company.currency).as_tuple().exponent)
    number = Decimal(value).normalize()
    return f"{number:.{max(least, -int(number.as_tuple().exponent))}f}"


@register.filter
def day_for(value: datetime.date | None, company: Company) -> str:
    return formatting.date(value, company.locale) if value else ""


@register.filter
def state_of(record: Any) -> SafeString:
    """The record's state as a shape and a word."""
    return state_mark(record.state, record.get_state_display())
