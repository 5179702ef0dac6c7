"""A file, or a hash, that is asked about."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.looks import dress
from documents.uploads import HashedUpload, HashingHandler


class FileForm(forms.Form):
    """Filled by a `HashingHandler`."""

    file = forms.FileField(
        label="PDF file",
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
        error_messages={"required": "Choose the file first.", "empty": "This file is empty."},
    )

    def __init__(self, *args: Any, handler: HashingHandler | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if handler is not None and handler.was_too_large:
            self.fields["file"].error_messages["required"] = handler.refusal
        dress(self)

    @property
    def upload(self) -> HashedUpload:
        upload: HashedUpload = self.cleaned_data["file"]
        return upload


class HashForm(forms.Form):
    sha256 = forms.CharField(
        label="SHA-256",
        max_length=200,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "64 digits, 0 to f"}
        ),
        error_messages={"required": "Enter a hash first."},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)

    def clean_sha256(self) -> str:
        """Capitals, spaces and colons are forgiven: other programs write it with them."""
        text = re.sub(r"[\s:]", "", self.cleaned_data["sha256"]).lower()
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            raise ValidationError("A SHA-256 has 64 digits, each of them 0 to 9 or a to f.")
        return text
