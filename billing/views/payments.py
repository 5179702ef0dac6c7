"""Payments: the list, one of them, recording one, applying what is left of it, voiding it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.filters.postings import PaymentFilter
from billing.forms.payments import PaymentForm, readable
from billing.models import Invoice, Party, Payment
from billing.money import as_text, total
from billing.selectors.lists import invoice_page_rows
from billing.selectors.postings import (
    PAYMENT_SORTS,
    RECEIVED,
    allocations_of,
    listed_payments,
    payment_page_rows,
    rest_of,
)
from billing.services import record_payment, void_payment
from billing.services.papers import APPLIED, request_paper
from billing.tables.postings import PaymentTable
from billing.views.bulk import BulkView
from billing.views.entries import EntryView
from billing.views.lists import BulkAction, RecordListView
from billing.views.settling import ApplyView, shares_context
from billing.views.shared import ActionView, RecordMixin


class PaymentListView(RecordListView):
    name, section, title = "payment", "payments", "Payments"
    rows = staticmethod(listed_payments)
    filter_class, table_class = PaymentFilter, PaymentTable
    sorts, default_sort = PAYMENT_SORTS, "date"
    sums = {"amount": ("Received", RECEIVED)}
    export = {
        "Number": lambda row: row.payment_number,
        "Date": lambda row: row.payment_date,
        "Party code": lambda row: row.party.code,
        "Party": lambda row: row.party.name,
        "Method": lambda row: row.get_method_display(),
        "Reference": lambda row: row.reference,
        "For": lambda row: row.invoice or "General Payment",
        "Currency": lambda row: row.currency,
        "Amount": lambda row: row.amount,
        "Unapplied": lambda row: rest_of(row, row.applied),
        "Void because": lambda row: row.void_reason,
    }
    new_label = "New payment"
    bulk_actions = (
        BulkAction("paper", "Make receipts", role=Role.VIEWER),
        BulkAction("void", "Void", role=Role.ACCOUNTANT, needs_reason=True),
    )


class PaymentBulkView(BulkView):
    section = "payments"
    required_role = Role.VIEWER
    rows = staticmethod(lambda company: payment_page_rows(company).prefetch_related(APPLIED))
    actions = PaymentListView.bulk_actions
    back = "billing:payment_list"
    paper_run = "receipt-papers"

    def act(self, action: BulkAction, record: Payment) -> None:
        record.company = self.request.company  # already here: no query for it
        if action.name == "void":
            void_payment(payment=record, reason=self.reason, by=self.request.user)
        else:
            request_paper(record=record, by=self.request.user)


class PaymentCreateView(EntryView):
    """Against one invoice (?invoice=id), spread over several of a party, or on account."""

    section = "payments"
    template_name = "billing/payments/form.html"
    form_class = PaymentForm
    rows = staticmethod(payment_page_rows)

    def initial(self) -> dict[str, Any]:
        invoice = self.invoice()
        if invoice is None:
            return {"party": self.request.GET.get("party", "")}
        due = as_text(invoice.due, invoice.currency) if invoice.is_posted else ""
        return {"party": invoice.party, "invoice": invoice, "amount": due}

    def invoice(self) -> Invoice | None:
        """The one that the address names."""
        wanted = self.request.GET.get("invoice")
        if not wanted:
            return None
        if not hasattr(self, "_invoice"):
            self._invoice = _find(self.request, wanted)
        return self._invoice

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        if "save" in request.POST or not {"spread", "look"} & set(request.POST):
            return super().post(request, **kwargs)
        return self._look(spread="spread" in request.POST)

    def _look(self, *, spread: bool) -> HttpResponse:
        """The page again with the party's open invoices, and the amount spread: nothing is saved
        and nothing refused yet.
        """
        data = self.request.POST
        form: Any = self.make_form(data)
        party = _party_of(form)
        if spread and party is not None:
            form.spread(readable(data.get("amount")), party)
        form._errors = {}
        return self._show(form, None)

    def save(self, form: Any, lines: Any) -> Payment:
        cleaned = form.cleaned_data
        return record_payment(
            party=cleaned["party"],
            amount=cleaned["amount"],
            payment_date=cleaned["payment_date"],
            invoice=cleaned["invoice"],
            allocations=form.shares,
            method=cleaned["method"],
            reference=cleaned["reference"],
            notes=cleaned["notes"],
            key=self.token,
            by=self.request.user,
        )

    def said(self, record: Payment) -> str:
        return f"Payment {record.payment_number} is recorded."

    def _show(self, form: Any, lines: Any) -> HttpResponse:
        invoice = _invoice_of(form) or (None if form.is_bound else self.invoice())
        party = invoice.party if invoice else (_party_of(form) if form.is_bound else None)
        context = {"form": form, "lines": None, "record": None, "invoice": invoice}
        context["keep_key"] = f"{self.request.path}:{invoice.pk if invoice else ''}"
        if invoice is None:
            amount = readable(form["amount"].value())
            context |= shares_context(form, party, amount)
        return self.page(self.template_name, context | {"credit_party": party})


def _find(request: CompanyRequest, text: str) -> Invoice:
    try:
        key = UUID(text)
    except ValueError as error:
        raise Http404("No such invoice.") from error
    found = invoice_page_rows(request.company).filter(pk=key).first()
    if found is None:
        raise Http404("No such invoice.")
    found.company = found.party.company = request.company
    return found


def _party_of(form: PaymentForm) -> Party | None:
    """The party that the form names, if it is one of the company's."""
    field: Any = form.fields["party"]
    party: Party | None = field._find(form["party"].value()) if form["party"].value() else None
    if party is not None:
        party.company = form.company
    return party


def _invoice_of(form: PaymentForm) -> Invoice | None:
    if not form.is_bound:
        return None
    found: Invoice | None = getattr(form, "cleaned_data", {}).get("invoice")
    return found


class PaymentDetailView(RecordMixin):
    """Two queries of its own; history and the receipt are fragments."""

    http_method_names = ["get", "head", "options"]
    section = "payments"
    rows = staticmethod(payment_page_rows)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        payment: Payment = self.record
        parts = allocations_of(payment)
        rest: Decimal = rest_of(payment, total(part.amount for part in parts))
        context = {"payment": payment, "parts": parts, "rest": rest}
        return self.page("billing/payments/detail.html", context)


class PaymentApplyView(ApplyView):
    section = "payments"
    rows = staticmethod(listed_payments)


class PaymentVoidView(ActionView):
    section = "payments"
    required_role = Role.ACCOUNTANT
    rows = staticmethod(payment_page_rows)

    def act(self, record: Payment) -> str:
        void_payment(payment=record, reason=self.reason(), by=self.request.user)
        return f"Payment {record.payment_number} is void. What it settled is due again."
