"""The list of invoices."""

import datetime
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.dates import today
from billing.models import Invoice
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
from documents.templatetags.display import state_mark


class InvoiceTable(ListTable):
    invoice_number = link_column("Number", sort="number")
    party = column("Party", css="wide")
    state = column("State", css="tight")
    invoice_date = column("Date", css="tight", sort="date")
    due_date = column("Due", css="tight", sort="due")
    reference = column("Reference", css="name spare")
    total = number("Total", sort="total")
    due = number("Open", empty_values=())

    class Meta(ListTable.Meta):
        pass

    def render_invoice_number(self, record: Invoice) -> SafeString:
        return record_link(record, record.invoice_number or "Draft")

    def render_party(self, record: Invoice) -> SafeString:
        return party_cell(record.party)

    def render_state(self, record: Invoice) -> SafeString:
        return state_mark(record.state, record.get_state_display())

    def render_invoice_date(self, value: datetime.date) -> str:
        return formatting.date(value, self.company.locale)

    def render_due_date(self, record: Invoice) -> SafeString | str:
        day = formatting.date(record.due_date, self.company.locale)
        late = record.is_posted and record.due > 0 and record.due_date < today(self.company)
        if not late:
            return day
        return format_html('<span class="overdue">{}</span>', day)

    def render_reference(self, value: str) -> SafeString:
        return clipped(value)

    def render_total(self, record: Invoice) -> str:
        return self.amount(Decimal(record.total), record.currency)

    def render_due(self, record: Invoice) -> str:
        return self.amount(record.due, record.currency) if record.is_posted else ""
