"""Tables whose columns sort and whose rows can be chosen. How to use it:

    class PaymentTable(ListTable):
        payment_number = link_column("Number")                     # a link to the record
        party = column("Party", css="wide", empty_values=())
        payment_date = column("Date", css="tight", sort="date")    # a name in the list's `sorts`
        amount = number("Amount", sort="amount")

The helpers of documents.tables.columns work too; those here add `sort`.
"""

from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Company
from billing.selectors.lists import Order
from documents.tables.columns import column as plain_column
from documents.templatetags.display import money


def column(heading: str, *, css: str = "", sort: str = "", **options: Any) -> tables.Column:
    made = plain_column(heading, css=css, **options)
    made.sort_name = sort
    return made


def number(heading: str, *, css: str = "", sort: str = "", **options: Any) -> tables.Column:
    return column(heading, css=f"number {css}".strip(), sort=sort, **options)


def link_column(heading: str, *, css: str = "tight", sort: str = "") -> tables.Column:
    """The record's number, linked. Give the table a `render_<name>` for anything else."""
    return column(heading, css=css, sort=sort, empty_values=())


class ListTable(tables.Table):  # type: ignore[misc]
    """`choosable`: each row has a box to tick, which belongs to the form `bulk` of the page."""

    def __init__(
        self, rows: list[Any], *, company: Company, order: Order | None = None, choosable: bool
    ) -> None:
        self.company, self.order, self.choosable = company, order, choosable
        super().__init__(rows, orderable=False, template_name="billing/parts/table.html")

    class Meta:
        attrs = {"class": "table table-sm table-hover list", "data-list": True}

    def heads(self) -> list[dict[str, Any]]:
        """Each column's heading, and where a click on it leads: `sort`, and the present way."""
        return [self._head(bound) for bound in self.columns]

    def _head(self, bound: Any) -> dict[str, Any]:
        name = getattr(bound.column, "sort_name", "")
        head = {"text": bound.header, "css": bound.attrs["th"].get("class", ""), "sort": ""}
        if self.order is None or not name:
            return head
        is_current = self.order.name == name
        way = "descending" if self.order.descending else "ascending"
        turned = name if self.order.descending else f"-{name}"
        return {**head, "sort": turned if is_current else name, "way": way if is_current else ""}

    def amount(self, value: Decimal, currency: str) -> str:
        return money(value, currency, self.company)


def record_link(record: Any, text: str) -> SafeString:
    return format_html(
        '<a id="r-{}" class="row-link" href="{}">{}</a>', record.pk, record.get_absolute_url(), text
    )


def party_cell(party: Any) -> SafeString:
    return format_html(
        '<span class="clip" title="{0}"><bdi>{0}</bdi> <span class="code">{1}</span></span>',
        party.name,
        party.code,
    )
