"""What a cashier types: a payment, and what of a credit goes to which invoice."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from accounts.models import Company
from billing.dates import today
from billing.forms.rows import RowNumbersField, RowsMixin
from billing.forms.shared import (
    AmountField,
    DayField,
    PartyField,
    long_text,
    require_minor_units,
    short_text,
)
from billing.models import Invoice, Party, Payment, PaymentMethod, Return
from billing.money import as_text, round_money, total
from billing.selectors.postings import open_invoices, spread_oldest_first

_STRANGER = "There is no such open invoice of this party."
_STARTING_METHOD = PaymentMethod.BANK


@dataclass(frozen=True)
class ShareRow:
    """An open invoice on the page: what is typed for it, and what is wrong with that."""

    invoice: Invoice
    text: str
    error: str

    @property
    def key(self) -> str:
        return str(self.invoice.pk)


class SharesMixin(RowsMixin):
    """`allocations`: how much goes to which of the open invoices of `party`."""

    company: Company
    shares: list[tuple[Invoice, Decimal]]
    _spread: dict[str, str] | None = None
    _open: tuple[UUID, list[Invoice]] | None = None

    def open_invoices_of(self, party: Party) -> list[Invoice]:
        """Read once: for checking what was typed, and for showing the page again."""
        if self._open is None or self._open[0] != party.pk:
            found = open_invoices(party)
            for invoice in found:
                invoice.company, invoice.party = self.company, party
            self._open = (party.pk, found)
        return self._open[1]

    def clean_shares(self, party: Party) -> None:
        invoices = {str(invoice.pk): invoice for invoice in self.open_invoices_of(party)}
        names = {key: str(invoice) for key, invoice in invoices.items()}
        numbers = self.parse_rows("allocations", names, _STRANGER)
        for key, number in numbers.items():
            invoice = invoices[key]
            self._check_share(key, invoice, number)
        self.shares = [(invoices[key], number) for key, number in numbers.items()]

    def _check_share(self, key: str, invoice: Invoice, number: Decimal) -> None:
        currency = self.company.currency
        if number != round_money(number, currency):
            said = f"{currency} has no such fraction as in {number}."
            self.refuse_row("allocations", key, str(invoice), said)
        elif number > invoice.due:
            said = f"{number} is more than the balance due of {as_text(invoice.due, currency)}."
            self.refuse_row("allocations", key, str(invoice), said)

    def spread(self, amount: Decimal, party: Party) -> None:
        """Fill the rows: the oldest invoice first, as long as the amount lasts."""
        shares = spread_oldest_first(amount, self.open_invoices_of(party))
        self._spread = {key: as_text(share, self.company.currency) for key, share in shares.items()}

    def rows(self, party: Party) -> list[ShareRow]:
        texts = self._spread if self._spread is not None else self.typed_rows("allocations")
        if self._spread is None and not self.is_bound:
            texts = self.initial.get("allocations") or {}
        errors = {} if self._spread is not None else self.row_errors
        return [
            ShareRow(invoice, texts.get(str(invoice.pk), ""), errors.get(str(invoice.pk), ""))
            for invoice in self.open_invoices_of(party)
        ]

    def spread_sum(self, rows: list[ShareRow]) -> Decimal:
        """What the rows come to; what can't be read counts for nothing."""
        return total(readable(row.text) for row in rows)


def readable(text: Any) -> Decimal:
    """The amount as typed, or 0."""
    field = AmountField(required=False)
    try:
        return field.clean(str(text or "")) or Decimal(0)
    except forms.ValidationError:
        return Decimal(0)


class InvoiceChoice(forms.Field):
    """The one invoice that the page is about, by its id in a hidden input."""

    widget = forms.HiddenInput
    company: Company | None = None
    default_error_messages = {"invalid": "There is no such invoice."}

    def prepare_value(self, value: Any) -> Any:
        return str(value.pk) if isinstance(value, Invoice) else value

    def to_python(self, value: Any) -> Invoice | None:
        if isinstance(value, Invoice) or value in self.empty_values:
            return value or None
        try:
            key = UUID(str(value))
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        if self.company is None:
            raise TypeError("InvoiceChoice.company is not set.")
        rows = Invoice.objects.for_company(self.company).select_related("party")
        found: Invoice | None = rows.filter(pk=key).first()
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        found.company = self.company
        return found


class PaymentForm(SharesMixin, forms.Form):
    """Against `invoice`, or spread over several (`share-<id>`), or on account."""

    party = PartyField(label="Party", required=False)
    invoice = InvoiceChoice(label="Invoice", required=False)
    amount = AmountField(label="Amount")
    payment_date = DayField(label="Date")
    method = forms.ChoiceField(
        label="Method",
        choices=PaymentMethod.choices,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    reference = short_text(100, label="Reference", help_text="Such as the cheque's number.")
    notes = long_text(10_000, label="Notes", rows=2)
    allocations = RowNumbersField(label="Open invoices", prefix="share", number=AmountField())

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        company: Company,
        instance: Payment | None = None,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        started = {"payment_date": today(company), "method": _STARTING_METHOD, **(initial or {})}
        super().__init__(data, files, initial=started, **kwargs)
        self.company, self.use_required_attribute = company, False
        self.row_errors, self.shares = {}, []
        self.fields["amount"].widget.attrs["class"] += " amount"
        for name in ("party", "invoice"):
            self.fields[name].company = company  # type: ignore[attr-defined]

    def clean_payment_date(self) -> Any:
        day = self.cleaned_data["payment_date"]
        if day and day > today(self.company):
            raise forms.ValidationError("The date is in the future.")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_amount()
        party, invoice = cleaned.get("party"), cleaned.get("invoice")
        if party is None and invoice is not None and "party" not in self.errors:
            party = cleaned["party"] = invoice.party
        if party is None:
            if "party" not in self.errors:
                self.add_error("party", "Choose a party.")
            return cleaned
        party.company = self.company
        if invoice is None:
            self.clean_shares(party)
            self._check_spread()
        elif invoice.party_id != party.pk:
            self.add_error("invoice", "The invoice belongs to another party.")
        elif cleaned.get("allocations"):
            self.add_error("allocations", "Pay one invoice, or spread the payment over several.")
        return cleaned

    def _check_amount(self) -> None:
        amount = self.cleaned_data.get("amount")
        if amount is not None and amount <= 0:
            self.add_error("amount", "The amount must be more than zero.")
        else:
            require_minor_units(self, "amount", self.company.currency)

    def _check_spread(self) -> None:
        spread = total(share for _, share in self.shares)
        amount = self.cleaned_data.get("amount")
        if amount is not None and spread > amount and not self.row_errors:
            currency = self.company.currency
            self.add_error(
                "allocations",
                f"{as_text(spread, currency)} is more than the payment's amount of"
                f" {as_text(amount, currency)}.",
            )


class ApplyForm(SharesMixin, forms.Form):
    """What is left of a payment or return, spread over the party's open invoices."""

    allocations = RowNumbersField(label="Open invoices", prefix="share", number=AmountField())

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        company: Company,
        instance: Payment | Return,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, files, initial=initial, **kwargs)
        self.company, self.source, self.rest = company, instance, Decimal(0)
        self.row_errors, self.shares = {}, []

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.clean_shares(self.source.party)
        spread = total(share for _, share in self.shares)
        if not self.errors and not self.shares:
            self.add_error("allocations", "Type how much goes to which invoice.")
        elif spread > self.rest and not self.errors:
            currency = self.company.currency
            self.add_error(
                "allocations",
                f"{as_text(spread, currency)} is more than what is left:"
                f" {as_text(self.rest, currency)}.",
            )
        return cleaned
