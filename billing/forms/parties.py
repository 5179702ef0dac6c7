"""What is typed about a party."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Company
from accounts.models.companies import validate_country, validate_locale
from billing.forms.shared import AmountField, long_text, require_minor_units, short_text
from billing.models import Party


class PartyForm(forms.ModelForm[Party]):
    code = short_text(60, label="Code", required=True)
    name = short_text(200, label="Name", required=True)
    email = forms.EmailField(
        label="E-mail",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "off"}),
        help_text="Statements and papers are sent there.",
    )
    phone = short_text(40, label="Phone")
    address = long_text(2000, label="Address", rows=4, help_text="As on an envelope.")
    country = short_text(2, label="Country", help_text="Two letters, such as GB.")
    tax_id = short_text(50, label="Tax id")
    locale = short_text(
        20, label="Language of papers", help_text="Such as en_GB. Empty: as the company's."
    )
    payment_terms_days = forms.IntegerField(
        label="Payment terms, days",
        min_value=0,
        max_value=3650,
        widget=forms.TextInput(
            attrs={"class": "form-control figures", "inputmode": "numeric", "autocomplete": "off"}
        ),
    )
    credit_limit = AmountField(label="Credit limit", required=False, help_text="Empty: none.")

    class Meta:
        model = Party
        fields = [
            "code",
            "name",
            "email",
            "phone",
            "address",
            "country",
            "tax_id",
            "locale",
            "payment_terms_days",
            "credit_limit",
        ]

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        company: Company | None = None,
        instance: Party | None = None,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        company = company or (instance.company if instance is not None else None)
        if company is None:
            raise TypeError("PartyForm needs the company, or a party of it.")
        if instance is None:
            instance = Party(company=company)
            initial = {"payment_terms_days": company.payment_terms_days, **(initial or {})}
        super().__init__(data, files, instance=instance, initial=initial, **kwargs)
        self.company, self.use_required_attribute = company, False

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        others = Party.all_objects.for_company(self.company).filter(code=code)
        if others.exclude(pk=self.instance.pk).exists():
            raise ValidationError("There is a party with this code already.")
        return code

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if country:
            validate_country(country)
        return country

    def clean_locale(self) -> str:
        locale: str = self.cleaned_data["locale"].replace("-", "_")
        if locale:
            validate_locale(locale)
        return locale

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        require_minor_units(self, "credit_limit", self.company.currency)
        return cleaned
