"""The papers of all records that a list's filter leaves, as one run: how many, and start.

    path("run/", PaperRunView.as_view(listing=PaymentListView, kind="receipt-papers"), ...)

It takes the query of the list as it is. GET says what would be made; POST settles which records
they are and starts the run.
"""

from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.filters.shared import ListFilter
from billing.forms.shared import token_of
from billing.selectors.lists import Order
from billing.services.paper_runs import MOST_PAPERS, SOURCES, start_paper_run
from billing.views.lists import RecordListView
from billing.views.shared import PageMixin


class PaperRunView(PageMixin):
    http_method_names = ["get", "head", "options", "post"]
    required_role = Role.CLERK
    listing: type[RecordListView] = RecordListView  # given to as_view()
    kind: str = ""

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self._show()

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        filters = self._filters()
        if not filters.form.is_valid():
            return self._show()
        try:
            batch = start_paper_run(
                company=request.company,
                kind=self.kind,
                records=list(self._ids(filters)[: MOST_PAPERS + 1]),
                by=request.user,
                token=token_of(request.POST.get("token", "")),
            )
        except ValidationError as refused:
            return self._show(refused=" ".join(refused.messages))
        return redirect(batch)

    def _filters(self) -> ListFilter:
        rows = self.listing.rows(self.request.company)
        return self.listing.filter_class(self.request.GET, rows, request=self.request)

    def _ids(self, filters: ListFilter) -> "models.QuerySet[Any, Any]":
        """In the order of the list: so they stand in the merged PDF."""
        listing = self.listing
        order = Order.of(self.request.GET.get("sort", ""), listing.sorts, listing.default_sort)
        ids: models.QuerySet[Any, Any] = filters.qs.order_by(*order.columns)
        return ids.values_list("pk", flat=True)

    def _show(self, refused: str = "") -> HttpResponse:
        filters = self._filters()
        query = self.request.GET.urlencode()
        source = SOURCES[self.kind]
        count = filters.qs.order_by().count() if filters.form.is_valid() else 0
        context = {
            "filters": filters,
            "count": count,
            "many": source.one if count == 1 else source.many,
            "title": self.listing.title,
            "section": self.listing.section,
            "most": MOST_PAPERS,
            "refused": refused,
            "back": f"{reverse(f'billing:{self.listing.name}_list')}{'?' if query else ''}{query}",
            "token": token_of(self.request.POST.get("token", "")) or uuid4(),
        }
        return self.page("billing/papers/run.html", context)
