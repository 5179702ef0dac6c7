"""The lists of payments, returns, challans and parties."""

import datetime
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import Challan, Invoice, Party, Payment, Return
from billing.selectors.balances import balance_of
from billing.selectors.postings import rest_of
from billing.tables.shared import (
    ListTable,
    column,
    link_column,
    number,
    party_cell,
    record_link,
)
from documents import formatting
from documents.tables.columns import clipped
from documents.templatetags.display import money, state_mark


class _PostingTable(ListTable):
    """What the cells of several lists have in common."""

    class Meta(ListTable.Meta):
        pass

    def day(self, value: datetime.date | None) -> str:
        return formatting.date(value, self.company.locale) if value else ""

    def cash(self, value: Decimal, currency: str) -> str:
        """As `amount`, which is a column's name in some of these."""
        return money(value, currency, self.company)


def _invoice_link(prefix: str, record: Payment | Return | Challan) -> SafeString:
    invoice: Invoice | None = record.invoice
    if invoice is None:
        return SafeString("")
    return format_html(
        '<a id="{}-{}" href="{}">{}</a>', prefix, record.pk, invoice.get_absolute_url(), invoice
    )


class PaymentTable(_PostingTable):
    payment_number = link_column("Number", sort="number")
    party = column("Party", css="wide")
    state = column("State", css="tight", empty_values=())
    payment_date = column("Date", css="tight", sort="date")
    method = column("Method", css="tight")
    reference = column("Reference", css="name spare")
    invoice = column("For", css="tight", empty_values=())
    amount = number("Amount")
    rest = number("Unapplied", empty_values=())

    class Meta(_PostingTable.Meta):
        pass

    def render_payment_number(self, record: Payment) -> SafeString:
        return record_link(record, record.payment_number)

    def render_party(self, record: Payment) -> SafeString:
        return party_cell(record.party)

    def render_state(self, record: Payment) -> SafeString:
        return state_mark("void", "void") if record.voided_at else state_mark("valid", "valid")

    def render_payment_date(self, value: datetime.date) -> str:
        return self.day(value)

    def render_method(self, record: Payment) -> str:
        return str(record.get_method_display())

    def render_reference(self, value: str) -> SafeString:
        return clipped(value)

    def render_invoice(self, record: Payment) -> SafeString | str:
        return _invoice_link("i", record) or "General Payment"

    def render_amount(self, record: Payment) -> str:
        return self.cash(Decimal(record.amount), record.currency)

    def render_rest(self, record: Payment) -> str:
        rest = rest_of(record, record.applied)  # type: ignore[attr-defined]
        return self.cash(rest, record.currency) if rest else ""


class ReturnTable(_PostingTable):
    return_number = link_column("Number", sort="number")
    party = column("Party", css="wide")
    return_date = column("Date", css="tight", sort="date")
    invoice = column("Invoice", css="tight", empty_values=())
    reason = column("Reason", css="name")
    total = number("Total")

    class Meta(_PostingTable.Meta):
        pass

    def render_return_number(self, record: Return) -> SafeString:
        return record_link(record, record.return_number)

    def render_party(self, record: Return) -> SafeString:
        return party_cell(record.party)

    def render_return_date(self, value: datetime.date) -> str:
        return self.day(value)

    def render_invoice(self, record: Return) -> SafeString | str:
        return _invoice_link("i", record) or "without one"

    def render_reason(self, value: str) -> SafeString:
        return clipped(value)

    def render_total(self, record: Return) -> str:
        return self.cash(Decimal(record.total), record.currency)


class ChallanTable(_PostingTable):
    challan_number = link_column("Number", sort="number")
    party = column("Party", css="wide")
    state = column("State", css="tight")
    challan_date = column("Date", css="tight", sort="date")
    delivered_on = column("Delivered", css="tight")
    vehicle = column("Vehicle", css="name")
    reference = column("Reference", css="name spare")
    invoice = column("Invoice", css="tight", empty_values=())

    class Meta(_PostingTable.Meta):
        pass

    def render_challan_number(self, record: Challan) -> SafeString:
        return record_link(record, record.challan_number)

    def render_party(self, record: Challan) -> SafeString:
        return party_cell(record.party)

    def render_state(self, record: Challan) -> SafeString:
        return state_mark(record.state, record.get_state_display())

    def render_challan_date(self, value: datetime.date) -> str:
        return self.day(value)

    def render_delivered_on(self, value: datetime.date) -> str:
        return self.day(value)

    def render_vehicle(self, value: str) -> SafeString:
        return clipped(value)

    def render_reference(self, value: str) -> SafeString:
        return clipped(value)

    def render_invoice(self, record: Challan) -> SafeString | str:
        return _invoice_link("i", record)


class PartyTable(_PostingTable):
    code = link_column("Code", sort="code")
    name = column("Name", css="wide", sort="name")
    state = column("Use", css="tight", empty_values=())
    email = column("E-mail", css="name spare")
    phone = column("Phone", css="tight spare")
    terms = number("Terms", empty_values=())
    credit_limit = number("Credit limit")
    balance = number("Balance", empty_values=())

    class Meta(_PostingTable.Meta):
        pass

    def render_code(self, record: Party) -> SafeString:
        return record_link(record, record.code)

    def render_name(self, value: str) -> SafeString:
        return format_html('<span class="clip" title="{0}"><bdi>{0}</bdi></span>', value)

    def render_state(self, record: Party) -> SafeString:
        if record.is_active:
            return state_mark("valid", "active")
        return state_mark("cancelled", "inactive")

    def render_email(self, value: str) -> SafeString:
        return clipped(value)

    def render_terms(self, record: Party) -> str:
        return f"{record.payment_terms_days} days"

    def render_credit_limit(self, value: Decimal) -> str:
        return self.cash(Decimal(value), self.company.currency)

    def render_balance(self, record: Party) -> SafeString | str:
        current = Decimal(balance_of(record).current)
        text = self.cash(current, self.company.currency)
        limit = record.credit_limit
        if limit is not None and current > limit:
            return format_html(
                '<span class="overdue" title="Over the credit limit">{}</span>', text
            )
        return text
