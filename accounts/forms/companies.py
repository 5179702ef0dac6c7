"""Who the company is: its letterhead."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.files.base import ContentFile

from accounts.forms.looks import dress
from accounts.logos import MOST_BYTES, clean_logo
from accounts.models import Company


class CompanyForm(forms.ModelForm[Company]):
    address = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One line of the address a line.",
    )
    payment_details = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="How to pay, as printed on papers: bank, account, IBAN.",
    )
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(available_timezones())],
        help_text="Says which day it is.",
    )

    class Meta:
        model = Company
        fields = [
            "legal_name",
            "tax_id",
            "address",
            "payment_details",
            "country",
            "email",
            "phone",
            "locale",
            "time_zone",
        ]
        help_texts = {
            "country": "Two letters, such as GB. It decides between A4 and US Letter, too.",
            "locale": "How amounts and dates are written, such as en_GB, de or ar_BH.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()


class LogoForm(forms.Form):
    logo = forms.FileField(
        help_text=f"PNG, JPEG, GIF or WebP, at most {MOST_BYTES // 1_000_000} MB. "
        "It is stored as a PNG of at most 1,200 pixels.",
        widget=forms.FileInput(attrs={"accept": ".png,.jpg,.jpeg,.gif,.webp"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)

    def clean_logo(self) -> ContentFile[bytes]:
        return clean_logo(self.cleaned_data["logo"])
