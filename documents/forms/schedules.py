"""A schedule as its form sees it."""

from typing import Any

from django import forms

from accounts.forms.looks import dress
from documents.models import Schedule
from documents.papers import run_kinds


class ScheduleForm(forms.ModelForm[Schedule]):
    kind = forms.ChoiceField(label="Run")
    hour = forms.TypedChoiceField(
        label="At",
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        initial=6,
    )

    class Meta:
        model = Schedule
        fields = ("kind", "day", "hour", "send", "is_enabled")
        labels = {
            "day": "On day",
            "send": "E-mail each paper to its party when it is ready",
            "is_enabled": "On",
        }
        help_texts = {
            "day": "1 to 31; in a shorter month, its last day. Each run is over the month before.",
            "send": "",
        }
        widgets = {"day": forms.NumberInput(attrs={"min": 1, "max": 31})}

    def __init__(self, *args: Any, time_zone: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.name, kind.label) for kind in run_kinds() if kind.start_scheduled
        ]
        self.fields["hour"].help_text = f"In the company's time zone, {time_zone}."
        dress(self)
