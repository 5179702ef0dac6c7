"""An endpoint as its form sees it. Whether its URL may be called is for the service to say."""

from typing import Any
from uuid import uuid4

from django import forms

from accounts.forms.looks import dress
from documents.models import WEBHOOK_EVENTS
from documents.services.public_addresses import LONGEST_URL

_EVENT_WORDS = {
    "document.ready": "a document is ready",
    "document.failed": "a document could not be made",
    "run.finished": "a run is finished",
    "run.failed": "a run could not be started",
}


class EndpointForm(forms.Form):
    """`pk` is drawn when the empty form is shown: a form that is sent twice adds one endpoint."""

    pk = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    url = forms.CharField(
        label="URL",
        max_length=LONGEST_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/pressroom"}),
        help_text="Where to POST to: https, on the public internet.",
    )
    description = forms.CharField(
        max_length=200, required=False, help_text="What is behind it, for your colleagues."
    )
    events = forms.MultipleChoiceField(
        label="Tell it when",
        choices=[(event, f"{_EVENT_WORDS[event]} ({event})") for event in WEBHOOK_EVENTS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)
        self.fields["events"].widget.attrs["class"] = "form-check-input"
