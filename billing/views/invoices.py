"""Invoices: the list, one of them, and entering or changing a draft."""

from copy import copy
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.filters import InvoiceFilter
from billing.forms import InvoiceForm, InvoiceItemFormSet
from billing.models import Invoice, InvoiceState
from billing.selectors.invoices import items_of, settlements_of, tax_by_rate
from billing.selectors.lists import (
    INVOICE_SORTS,
    INVOICE_SUMS,
    all_invoices,
    invoice_page_rows,
    listed_invoices,
)
from billing.services import issue_invoice, save_draft, void_invoice
from billing.services.papers import request_paper
from billing.tables import InvoiceTable
from billing.views.bulk import BulkView
from billing.views.entries import ChangeMixin, EntryView
from billing.views.lists import BulkAction, RecordListView
from billing.views.sent_forms import version_of
from billing.views.shared import FragmentMixin, RecordMixin


class InvoiceListView(RecordListView):
    name, section, title = "invoice", "invoices", "Invoices"
    rows = staticmethod(listed_invoices)
    filter_class, table_class = InvoiceFilter, InvoiceTable
    sorts, default_sort = INVOICE_SORTS, "date"
    sums = {
        "total": ("Invoiced", INVOICE_SUMS["total"]),
        "due": ("Open", INVOICE_SUMS["due"]),
    }
    export = {
        "Number": lambda row: row.invoice_number,
        "State": lambda row: row.get_state_display(),
        "Date": lambda row: row.invoice_date,
        "Due": lambda row: row.due_date,
        "Party code": lambda row: row.party.code,
        "Party": lambda row: row.party.name,
        "Reference": lambda row: row.reference,
        "Currency": lambda row: row.currency,
        "Total": lambda row: row.total,
        "Paid": lambda row: row.paid,
        "Returned": lambda row: row.returned,
        "Open": lambda row: row.due if row.is_posted else 0,
    }
    new_label = "New invoice"
    bulk_actions = (
        BulkAction("issue", "Issue"),
        BulkAction("paper", "Make PDFs"),
        BulkAction("void", "Void", role=Role.ACCOUNTANT, needs_reason=True),
    )


class InvoiceBulkView(BulkView):
    section = "invoices"
    rows = staticmethod(lambda company: invoice_page_rows(company).prefetch_related("items"))
    actions = InvoiceListView.bulk_actions
    back = "billing:invoice_list"
    paper_run = "invoice-papers"

    def act(self, action: BulkAction, record: Invoice) -> None:
        by = self.request.user
        record.company = self.request.company  # already here: no query for it
        if action.name == "issue":
            issue_invoice(invoice=record, by=by)
        elif action.name == "void":
            void_invoice(invoice=record, reason=self.reason, by=by)
        else:
            request_paper(record=record, by=by)


class InvoiceEntryView(EntryView):
    """What entering an invoice and changing a draft have in common."""

    section = "invoices"
    template_name = "billing/invoices/form.html"
    form_class, formset_class = InvoiceForm, InvoiceItemFormSet

    def save(self, form: Any, lines: Any) -> Invoice:
        # A copy: an attempt that failed must leave nothing behind for the next one.
        invoice: Invoice = self.keyed(copy(form.instance))
        draft = save_draft(invoice=invoice, items=lines.items(), by=self.request.user)
        if "issue" in self.request.POST:
            draft = issue_invoice(invoice=draft, by=self.request.user)
        return draft

    def go_on(self, made: Invoice) -> Invoice | None:
        """Saved first, and then issued by the other button of the same form."""
        if "issue" not in self.request.POST or made.state != InvoiceState.DRAFT:
            return None
        return issue_invoice(invoice=made, by=self.request.user)

    def said(self, record: Invoice) -> str:
        if record.state == InvoiceState.DRAFT:
            return "The draft is saved."
        return f"Invoice {record.invoice_number} is issued."


class InvoiceCreateView(InvoiceEntryView):
    rows = staticmethod(invoice_page_rows)
    max_retries = 3

    def initial(self) -> dict[str, Any]:
        party = self.request.GET.get("party")
        return {"party": party} if party else {}

    def context(self) -> dict[str, Any]:
        return {"compute_url": reverse("billing:invoice_compute")}


class InvoiceUpdateView(RecordMixin, ChangeMixin, InvoiceEntryView):
    """Drafts only: what is issued is voided, or corrected by a return."""

    rows = staticmethod(invoice_page_rows)

    def context(self) -> dict[str, Any]:
        return {"compute_url": reverse("billing:invoice_compute_for", args=[self.record.pk])}

    def refused(self) -> HttpResponse | None:
        self.record.company = self.request.company
        if self.record.state == InvoiceState.DRAFT:
            return None
        context = {"invoice": self.record}
        return self.page("billing/invoices/not_a_draft.html", context, status=409)


class InvoiceDetailView(RecordMixin):
    """Two queries of its own; payments, history, the paper and its preview are fragments."""

    http_method_names = ["get", "head", "options"]
    section = "invoices"
    rows = staticmethod(invoice_page_rows)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        invoice: Invoice = self.record
        items = items_of(invoice)
        context = {
            "invoice": invoice,
            "items": items,
            "rates": tax_by_rate(invoice, items),
            "copy_token": uuid4(),
            "version": version_of(invoice),
            "has_discounts": any(item.discount_percent or item.discount_amount for item in items),
        }
        return self.page("billing/invoices/detail.html", context)


class InvoiceSettlementsView(FragmentMixin, RecordMixin):
    """The payments and returns of an invoice, for its page."""

    http_method_names = ["get", "head", "options"]
    rows = staticmethod(all_invoices)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponseBase:
        context = {"invoice": self.record, "settlements": settlements_of(self.record)}
        return self.page("billing/invoices/settlements.html", context)
