"""What the list of invoices can be narrowed by."""

from typing import Any

from django.db.models import QuerySet

from billing.dates import today
from billing.filters.shared import (
    ListFilter,
    at_least,
    at_most,
    by_party,
    by_state,
    from_day,
    only,
    search,
    to_day,
)
from billing.models import Invoice, InvoiceState

UNPAID = (InvoiceState.ISSUED, InvoiceState.PART_PAID)


class InvoiceFilter(ListFilter):
    numbers = ("invoice_number", "reference")

    q = search("Number, party or reference")
    party = by_party()
    state = by_state(InvoiceState.choices)
    since, until = from_day("invoice_date"), to_day("invoice_date")
    least, most = at_least("total"), at_most("total")
    overdue = only("Overdue", "only_overdue")

    class Meta(ListFilter.Meta):
        model = Invoice

    def only_overdue(self, rows: "QuerySet[Invoice]", name: str, value: bool) -> Any:
        if not value:
            return rows
        return rows.filter(state__in=UNPAID, due_date__lt=today(self.request.company))
