"""What is typed into a delivery challan. Number, state and invoice are nobody's to type."""

from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Company
from billing.dates import today
from billing.forms.items import ItemForm, item_formset
from billing.forms.shared import (
    DayField,
    NumberField,
    PartyField,
    PercentField,
    long_text,
    short_text,
)
from billing.models import Challan, ChallanItem


class ChallanForm(forms.ModelForm[Challan]):
    party = PartyField(label="Party")
    challan_date = DayField(label="Date")
    vehicle = short_text(60, label="Vehicle")
    driver = short_text(100, label="Driver")
    place = long_text(1000, label="Place of delivery", rows=2)
    reference = short_text(100, label="Reference", help_text="The customer's order.")
    notes = long_text(10_000, label="Notes", rows=2)

    class Meta:
        model = Challan
        fields = ["party", "challan_date", "vehicle", "driver", "place", "reference", "notes"]

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        company: Company | None = None,
        instance: Challan | None = None,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        company = company or (instance.company if instance is not None else None)
        if company is None:
            raise TypeError("ChallanForm needs the company, or a challan of it.")
        if instance is None:
            instance = Challan(company=company)
            initial = {"challan_date": today(company), **(initial or {})}
        super().__init__(data, files, instance=instance, initial=initial, **kwargs)
        self.use_required_attribute = False
        self.fields["party"].company = company  # type: ignore[attr-defined]
        if not instance._state.adding:
            self.initial["party"] = instance.party


class ChallanItemForm(ItemForm):
    """Price and tax are for the invoice: the challan itself is printed without them."""

    content = ("sku", "description", "quantity", "unit", "unit_price", "tax_rate")

    sku = short_text(60, label="SKU")
    description = long_text(2000, rows=1, label="Description", required=True, css="line-text")
    quantity = NumberField(label="Quantity", digits=15, places=3, initial=Decimal(1))
    unit = short_text(20, label="Unit")
    unit_price = NumberField(label="Price (not printed)", digits=18, places=4, required=False)
    tax_rate = PercentField(label="Tax %", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rates = self.company.tax_rates
        self.fields["tax_rate"].initial = Decimal(str(rates[0])) if rates else None
        self.fields["tax_rate"].widget.attrs["list"] = "tax-rates"


ChallanItemFormSet = item_formset(ChallanItemForm, ChallanItem)
