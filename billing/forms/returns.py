"""What a clerk types when goods come back: of an invoice, or (the accountant) without one."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Company
from billing.dates import today
from billing.forms.items import ItemForm, item_formset
from billing.forms.payments import InvoiceChoice
from billing.forms.rows import RowNumbersField, RowsMixin
from billing.forms.shared import (
    DayField,
    NumberField,
    PartyField,
    PercentField,
    long_text,
    short_text,
)
from billing.models import Invoice, Return, ReturnItem
from billing.selectors.postings import Returnable, returnable_items
from billing.services import ReturnLine


def _quantity(**options: Any) -> NumberField:
    return NumberField(digits=15, places=3, **options)


@dataclass(frozen=True)
class ReturnRow:
    sold: Returnable
    text: str
    error: str

    @property
    def key(self) -> str:
        return str(self.sold.item.pk)


class ReturnForm(RowsMixin, forms.Form):
    """Of `invoice`, with `quantity-<item's id>`; without one, of `party`, with a reason."""

    invoice = InvoiceChoice(label="Invoice", required=False)
    party = PartyField(label="Party", required=False)
    return_date = DayField(label="Date")
    reason = short_text(200, label="Reason")
    quantity = RowNumbersField(label="Quantities", prefix="quantity", number=_quantity())

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        company: Company,
        instance: Return | None = None,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        started = {"return_date": today(company), **(initial or {})}
        super().__init__(data, files, initial=started, **kwargs)
        self.company, self.use_required_attribute = company, False
        self.row_errors: dict[str, str] = {}
        self.of_invoice: list[ReturnLine] = []
        self._sold: list[Returnable] | None = None
        for name in ("party", "invoice"):
            self.fields[name].company = company  # type: ignore[attr-defined]

    def sold(self, invoice: Invoice) -> list[Returnable]:
        if self._sold is None:
            self._sold = returnable_items(invoice)
        return self._sold

    def clean_return_date(self) -> Any:
        day = self.cleaned_data["return_date"]
        if day and day > today(self.company):
            raise forms.ValidationError("The date is in the future.")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        invoice = cleaned.get("invoice")
        if invoice is not None:
            self._clean_of_invoice(invoice)
        elif "invoice" not in self.errors:
            self._clean_without()
        return cleaned

    def _clean_of_invoice(self, invoice: Invoice) -> None:
        day = self.cleaned_data.get("return_date")
        if day and day < invoice.invoice_date:
            self.add_error("return_date", "The date is before the invoice's.")
        sold = {str(row.item.pk): row for row in self.sold(invoice)}
        names = {key: row.item.description[:60] for key, row in sold.items()}
        numbers = self.parse_rows("quantity", names, "There is no such item on the invoice.")
        for key, number in numbers.items():
            if number > sold[key].most:
                said = f"At most {sold[key].most.normalize():f} can come back."
                self.refuse_row("quantity", key, names[key], said)
        if not numbers and not self.errors:
            self.add_error("quantity", "Type how much came back of at least one item.")
        self.of_invoice = [ReturnLine(numbers[key], item=sold[key].item) for key in numbers]

    def _clean_without(self) -> None:
        party = self.cleaned_data.get("party")
        if party is None and "party" not in self.errors:
            self.add_error("party", "Choose a party.")
        elif party is not None:
            party.company = self.company
        if "reason" not in self.errors and not (self.cleaned_data.get("reason") or "").strip():
            self.add_error("reason", "A return without an invoice needs a reason.")

    def rows(self, invoice: Invoice) -> list[ReturnRow]:
        texts: Mapping[str, str] = self.typed_rows("quantity")
        return [
            ReturnRow(
                row, texts.get(str(row.item.pk), ""), self.row_errors.get(str(row.item.pk), "")
            )
            for row in self.sold(invoice)
        ]


class ReturnItemForm(ItemForm):
    """A line that no invoice says the price of."""

    content = ("sku", "description", "quantity", "unit_price", "tax_rate")

    sku = short_text(60, label="SKU")
    description = long_text(2000, rows=1, label="Description", required=True, css="line-text")
    quantity = _quantity(label="Quantity", initial=Decimal(1))
    unit_price = NumberField(label="Price", digits=18, places=4)
    tax_rate = PercentField(label="Tax %", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rates = self.company.tax_rates
        self.fields["tax_rate"].initial = Decimal(str(rates[0])) if rates else None
        self.fields["tax_rate"].widget.attrs["list"] = "tax-rates"


ReturnItemFormSet = item_formset(ReturnItemForm, ReturnItem)


def described_lines(items: list[ReturnItem]) -> list[ReturnLine]:
    return [
        ReturnLine(
            quantity=item.quantity,
            sku=item.sku,
            description=item.description,
            unit_price=item.unit_price,
            tax_rate=item.tax_rate,
        )
        for item in items
    ]
