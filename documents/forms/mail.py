"""How e-mails go out and what they say, as forms."""

from typing import Any

from django import forms

from accounts.forms.looks import dress
from documents.models import MailSettings
from documents.services.mail_templates import check_placeholders


class MailSettingsForm(forms.ModelForm[MailSettings]):
    class Meta:
        model = MailSettings
        fields = ("from_name", "from_address", "reply_to", "per_minute")
        labels = {
            "from_name": "From: name",
            "from_address": "From: address",
            "reply_to": "Answers go to",
            "per_minute": "At most, a minute",
        }

    def __init__(self, *args: Any, hints: dict[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        for name, hint in hints.items():
            self.fields[name].help_text = f"Empty: {hint}." if hint else "Empty: none."
        dress(self)


class MailTemplateForm(forms.Form):
    subject = forms.CharField(max_length=200)
    body = forms.CharField(
        label="Text", max_length=5000, strip=False, widget=forms.Textarea(attrs={"rows": 12})
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)

    def clean_subject(self) -> str:
        return self._known("subject")

    def clean_body(self) -> str:
        return self._known("body").replace("\r\n", "\n")

    def _known(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        check_placeholders(text)
        return text
