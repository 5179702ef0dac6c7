"""What a clerk types into an invoice. State, number, company and totals are nobody's to type."""

from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Company
from billing.dates import today
from billing.forms.items import ItemForm, item_formset
from billing.forms.shared import (
    AmountField,
    DayField,
    NumberField,
    PartyField,
    PercentField,
    long_text,
    require_minor_units,
    short_text,
)
from billing.models import Invoice, InvoiceItem
from billing.money import ZERO

_ZEROS = ("discount_percent", "discount_amount", "shipping", "shipping_tax_rate")


class InvoiceForm(forms.ModelForm[Invoice]):
    party = PartyField(label="Party")
    invoice_date = DayField(label="Date")
    due_date = DayField(
        label="Due", required=False, help_text="Empty: after the party's terms of payment."
    )
    reference = short_text(100, label="Reference", help_text="The customer's order.")
    discount_percent = PercentField(label="Discount, %", required=False)
    discount_amount = AmountField(label="Discount, amount", required=False)
    shipping = AmountField(label="Shipping", required=False)
    shipping_tax_rate = PercentField(label="Tax on shipping, %", required=False)
    notes = long_text(10_000, label="Notes")
    terms = long_text(10_000, label="Terms")

    class Meta:
        model = Invoice
        fields = [
            "party",
            "invoice_date",
            "due_date",
            "reference",
            "discount_percent",
            "discount_amount",
            "shipping",
            "shipping_tax_rate",
            "notes",
            "terms",
        ]

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        company: Company | None = None,
        instance: Invoice | None = None,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        company = company or (instance.company if instance is not None else None)
        if company is None:
            raise TypeError("InvoiceForm needs the company, or an invoice of it.")
        if instance is None:
            instance = Invoice(company=company, currency=company.currency)
            instance.prices_include_tax = company.prices_include_tax
            initial = {"invoice_date": today(company), "terms": company.terms, **(initial or {})}
        super().__init__(data, files, instance=instance, initial=initial, **kwargs)
        self.company = company
        self.use_required_attribute = False
        party = self.fields["party"]
        party.company = company  # type: ignore[attr-defined]
        if not instance._state.adding:
            self.initial["party"] = instance.party
        for name in _ZEROS:  # an empty box says that better
            if not self.initial.get(name):
                self.initial[name] = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in _ZEROS:
            if name in cleaned and cleaned[name] is None:
                cleaned[name] = ZERO
        for name in ("discount_amount", "shipping"):
            require_minor_units(self, name, self.company.currency)
        day, due = cleaned.get("invoice_date"), cleaned.get("due_date")
        if day and due and due < day:
            self.add_error("due_date", "The due date is before the invoice's date.")
        return cleaned


class InvoiceItemForm(ItemForm):
    content = (
        "sku",
        "description",
        "quantity",
        "unit",
        "unit_price",
        "discount_percent",
        "discount_amount",
        "tax_rate",
    )

    sku = short_text(60, label="SKU")
    description = long_text(2000, rows=1, label="Description", required=True, css="line-text")
    quantity = NumberField(label="Quantity", digits=15, places=3, initial=Decimal(1))
    unit = short_text(20, label="Unit")
    unit_price = NumberField(label="Price", digits=18, places=4)
    discount_percent = PercentField(label="Less %", required=False)
    discount_amount = AmountField(label="Less", required=False)
    tax_rate = PercentField(label="Tax %", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rates = self.company.tax_rates
        self.fields["tax_rate"].initial = Decimal(str(rates[0])) if rates else None
        self.fields["tax_rate"].widget.attrs["list"] = "tax-rates"
        for name in ("discount_percent", "discount_amount"):
            if not self.initial.get(name, True):
                self.initial[name] = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        require_minor_units(self, "discount_amount", self.company.currency)
        return cleaned


InvoiceItemFormSet = item_formset(InvoiceItemForm, InvoiceItem)
