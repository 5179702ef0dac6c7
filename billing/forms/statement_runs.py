"""What a run of statements is asked for with: the period, who, and whether to e-mail."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts.models import Company
from billing.dates import Period, today
from billing.forms.shared import DayField, long_text
from billing.selectors.statement_runs import Selection, Who, parties_by_code

# As many codes as an address holds.
_MOST_TYPED = 2000
_LONGEST = timedelta(days=366)


def last_month(company: Company) -> str:
    """The month before today's, where the company is."""
    first = today(company).replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"


class StatementRunForm(forms.Form):
    month = forms.CharField(
        required=False,
        max_length=7,
        widget=forms.TextInput(
            attrs={
                "type": "month",
                "class": "form-control",
                "min": "1900-01",
                "max": "2199-12",
                "placeholder": "YYYY-MM",
                "autofocus": True,
            }
        ),
        help_text="The whole month, both its first and its last day inside.",
    )
    since = DayField(label="Or from", required=False)
    until = DayField(label="to", required=False)
    who = forms.ChoiceField(
        choices=Who.choices,
        initial=Who.MOVED,
        required=False,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    codes = long_text(
        _MOST_TYPED,
        rows=2,
        label="Only these parties",
        help_text="Their codes, with commas or on lines of their own. Empty: all of the above.",
    )
    send = forms.BooleanField(
        required=False,
        label="E-mail each statement to its party when it is ready",
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def __init__(self, data: QueryDict | None = None, *, company: Company) -> None:
        asked = None if data is None else {"who": Who.MOVED, **data.dict()}
        super().__init__(asked, initial={"month": last_month(company)})
        self.company = company
        self.parties: tuple[UUID, ...] | None = None

    def clean_who(self) -> Who:
        return Who(self.cleaned_data["who"] or Who.MOVED)

    def clean_codes(self) -> str:
        codes = _codes(self.cleaned_data["codes"])
        if codes:
            known = parties_by_code(self.company, codes)
            unknown = [code for code in codes if code not in known]
            if unknown:
                raise ValidationError(f"There is no party with the code {', '.join(unknown[:5])}.")
            self.parties = tuple(known[code] for code in codes)
        return ", ".join(codes)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"since", "until"} <= cleaned.keys():
            if cleaned["since"] or cleaned["until"]:
                self._clean_days(cleaned)
            else:
                self._clean_month(cleaned)
        return cleaned

    def _clean_days(self, cleaned: dict[str, Any]) -> None:
        since, until = cleaned["since"], cleaned["until"]
        if not since or not until:
            self.add_error("until" if since else "since", "Both days are needed, or neither.")
        elif since > until:
            self.add_error("until", "The period ends before it begins.")
        elif until - since >= _LONGEST:
            self.add_error("until", "A statement covers a year at most.")
        else:
            cleaned["period"] = Period(since, until)

    def _clean_month(self, cleaned: dict[str, Any]) -> None:
        try:
            cleaned["period"] = Period.month(cleaned.get("month", "").strip())
        except ValueError:
            self.add_error("month", "Write the month as 2026-10.")

    @property
    def period(self) -> Period:
        period: Period = self.cleaned_data["period"]
        return period

    @property
    def selection(self) -> Selection:
        return Selection(self.cleaned_data["who"], self.parties)

    @property
    def query(self) -> str:
        """The same again, for an address."""
        cleaned = self.cleaned_data
        days = ("since", "until") if cleaned["since"] else ("month",)
        asked = {name: str(cleaned[name]) for name in (*days, "who", "codes") if cleaned[name]}
        return urlencode(asked | ({"send": "on"} if cleaned["send"] else {}))


def _codes(text: str) -> list[str]:
    """A code may hold blanks, but no comma and no line end."""
    return list(dict.fromkeys(filter(None, map(str.strip, re.split(r"[,;\n]", text)))))
