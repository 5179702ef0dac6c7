"""A list of the company's records: found, narrowed, sorted, paged, exported, and acted on.

    class PaymentListView(RecordListView):
        name, section, title = "payment", "payments", "Payments"
        rows = staticmethod(listed_payments)            # a function of the company
        filter_class, table_class = PaymentFilter, PaymentTable
        sorts, default_sort = {"date": Sort("payment_date", descending=True)}, "date"
        sums = {"amount": ("Received", "amount")}       # heading and column or expression
        export = {"Number": lambda row: row.payment_number}
        new_label = "New payment"
        bulk_actions = (BulkAction("paper", "Make PDFs"),)

    path("", views.PaymentListView.as_view(), name="payment_list"),
    path("totals/", views.PaymentListView.as_view(part="totals"), name="payment_totals"),
    path("export/", views.PaymentListView.as_view(part="export"), name="payment_export"),
    path("bulk/", views.PaymentBulkView.as_view(), name="payment_bulk"),   # see views/bulk.py
    path("run/", PaperRunView.as_view(...), name="payment_run"),     # see views/paper_runs.py

A page is at most two business queries. The sums of all that the filter leaves are a fragment of
their own, asked for once the page is shown, so that they never hold it up.
"""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse

from accounts.access import CompanyRequest
from accounts.exports import note_export
from accounts.models import Role
from billing.dates import today
from billing.filters.shared import ListFilter
from billing.selectors.lists import Order, Sort, page_of, sums_of
from billing.tables.shared import ListTable
from billing.views.exports import Export, csv_response
from billing.views.shared import FragmentMixin
from documents.selectors import Edge

PAGE_SIZE = 50


@dataclass(frozen=True)
class BulkAction:
    """A button over the list. `needs_reason` shows a field for one beside it."""

    name: str
    label: str
    role: Role = Role.CLERK
    needs_reason: bool = False


class RecordListView(FragmentMixin):
    http_method_names = ["get", "head", "options"]
    template_name: ClassVar[str] = "billing/list.html"
    name: ClassVar[str]
    title: ClassVar[str]
    rows: ClassVar[Any]  # Rows, as a staticmethod
    filter_class: ClassVar[type[ListFilter]]
    table_class: ClassVar[type[ListTable]]
    sorts: ClassVar[dict[str, Sort]]
    default_sort: ClassVar[str]
    sums: ClassVar[dict[str, tuple[str, Any]]] = {}
    export: ClassVar[Export] = {}
    new_label: ClassVar[str] = ""
    bulk_actions: ClassVar[tuple[BulkAction, ...]] = ()
    page_size: ClassVar[int] = PAGE_SIZE
    part = "page"

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponseBase:
        answers = {"page": self._page, "totals": self._totals, "export": self._export}
        return answers[self.part]()

    def _filters(self) -> ListFilter:
        rows = self.rows(self.request.company)
        return self.filter_class(self.request.GET, rows, request=self.request)

    def _order(self) -> Order:
        return Order.of(self.request.GET.get("sort", ""), self.sorts, self.default_sort)

    def _page(self) -> HttpResponse:
        company = self.request.company
        filters, order = self._filters(), self._order()
        page = page_of(
            filters.qs,
            all_rows=self.rows(company).select_related(None).only("pk"),
            order=order,
            edge=Edge.of(self.request.GET),
            size=self.page_size,
        )
        actions = self._actions()
        table = self.table_class(page.rows, company=company, order=order, choosable=bool(actions))
        context = {
            "title": self.title,
            "filters": filters,
            "page": page,
            "table": table,
            "order": order,
            "actions": actions,
            "empty": f"billing/{self.section}/empty.html",
            "new_label": self.new_label if self.may["enter"] else "",
            "new_url": self._address("create"),
            "totals_url": self._address("totals") if self.sums else "",
            "export_url": self._address("export") if self.export else "",
            "bulk_url": self._address("bulk") if actions else "",
            "run_url": self._address("run") if self.may["enter"] else "",
            "token": uuid4(),
        }
        return self.page(self.template_name, context | self.context(page.rows))

    def context(self, rows: list[Any]) -> dict[str, Any]:
        """What a list shows beside its rows."""
        return {}

    def _actions(self) -> list[BulkAction]:
        membership = self.request.membership
        return [action for action in self.bulk_actions if membership.may_act_as(action.role)]

    def _address(self, what: str) -> str:
        try:
            return reverse(f"billing:{self.name}_{what}")
        except NoReverseMatch:
            return ""

    def _totals(self) -> HttpResponse:
        columns = {name: column for name, (_, column) in self.sums.items()}
        sums = sums_of(self._filters().qs, columns, self.request.company.currency)
        shown = [(heading, sums[name]) for name, (heading, _) in self.sums.items()]
        return self.page("billing/parts/totals.html", {"count": sums["count"], "sums": shown})

    def _export(self) -> HttpResponseBase:
        rows = self._filters().qs.order_by(*self._order().columns)
        day = today(self.request.company).isoformat()
        note_export(self.request, f"{self.section} as CSV")
        return csv_response(rows, self.export, name=f"{self.section} {day}")
