"""Returns: the list, one of them, recording one, applying what is left of it, deleting it."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.urls import reverse

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.filters.postings import ReturnFilter
from billing.forms.items import BaseItemFormSet
from billing.forms.returns import ReturnForm, ReturnItemFormSet, described_lines
from billing.models import Invoice, Return
from billing.selectors.lists import invoice_page_rows
from billing.selectors.postings import (
    RETURN_SORTS,
    all_returns,
    find_invoice,
    listed_returns,
    rest_of,
    return_page_rows,
)
from billing.services import delete_return, record_return
from billing.services.papers import APPLIED, request_paper
from billing.tables.postings import ReturnTable
from billing.views.bulk import BulkView
from billing.views.entries import EntryView
from billing.views.lists import BulkAction, RecordListView
from billing.views.settling import AppliedView, ApplyView
from billing.views.shared import ActionView, RecordMixin


class ReturnListView(RecordListView):
    name, section, title = "return", "returns", "Returns"
    rows = staticmethod(listed_returns)
    filter_class, table_class = ReturnFilter, ReturnTable
    sorts, default_sort = RETURN_SORTS, "date"
    sums = {"total": ("Returned", "total")}
    export = {
        "Number": lambda row: row.return_number,
        "Date": lambda row: row.return_date,
        "Party code": lambda row: row.party.code,
        "Party": lambda row: row.party.name,
        "Invoice": lambda row: row.invoice or "",
        "Reason": lambda row: row.reason,
        "Currency": lambda row: row.currency,
        "Net": lambda row: row.net,
        "Tax": lambda row: row.tax,
        "Total": lambda row: row.total,
    }
    new_label = "New return"
    bulk_actions = (BulkAction("paper", "Make credit notes", role=Role.VIEWER),)


class ReturnBulkView(BulkView):
    section = "returns"
    required_role = Role.VIEWER
    rows = staticmethod(
        lambda company: return_page_rows(company).prefetch_related("items", APPLIED)
    )
    actions = ReturnListView.bulk_actions
    back = "billing:return_list"
    paper_run = "return-papers"

    def act(self, action: BulkAction, record: Return) -> None:
        record.company = self.request.company  # already here: no query for it
        request_paper(record=record, by=self.request.user)


class ReturnCreateView(EntryView):
    """Of an invoice (?invoice=id, or ?number=); without one for the accountant (?without=1)."""

    section = "returns"
    template_name = "billing/returns/form.html"
    form_class = ReturnForm
    formset_class = ReturnItemFormSet
    rows = staticmethod(return_page_rows)

    def invoice(self) -> Invoice | None:
        """The one whose goods come back. Raises Http404 for one that is not the company's."""
        if not hasattr(self, "_invoice"):
            sent = self.request.POST if self.request.method == "POST" else self.request.GET
            wanted = sent.get("invoice", "")
            self._invoice = self._find(wanted) if wanted else self._by_number()
        return self._invoice

    def _by_number(self) -> Invoice | None:
        number = self.request.GET.get("number", "").replace("\0", "")[:100]
        found = find_invoice(self.request.company, number) if number.strip() else None
        if found is not None:
            found.company = found.party.company = self.request.company
        return found

    def _find(self, text: str) -> Invoice:
        try:
            key = UUID(text)
        except ValueError as error:
            raise Http404("No such invoice.") from error
        found = invoice_page_rows(self.request.company).filter(pk=key).first()
        if found is None:
            raise Http404("No such invoice.")
        found.company = found.party.company = self.request.company
        return found

    def initial(self) -> dict[str, Any]:
        invoice = self.invoice()
        if invoice is not None:
            return {"invoice": invoice}
        return {"party": self.request.GET.get("party", "")}

    def make_form(self, data: QueryDict | None = None) -> ReturnForm:
        form = ReturnForm(data, company=self.request.company, initial=self.initial())
        if self.invoice() is not None:
            del form.fields["party"]  # the invoice's
        return form

    def make_lines(self, data: QueryDict | None = None) -> BaseItemFormSet | None:
        if self.invoice() is not None or not self.may["correct"]:
            return None
        return super().make_lines(data)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        """Which invoice it is of is asked first."""
        if self.invoice() is None and not (self.may["correct"] and "without" in request.GET):
            return self._ask()
        return super().get(request, **kwargs)

    def _ask(self) -> HttpResponse:
        number = self.request.GET.get("number")
        missing = f"There is no invoice {number.strip()[:100]}." if number else ""
        return self.page("billing/returns/choose.html", {"number": number, "missing": missing})

    def save(self, form: Any, lines: Any) -> Return:
        cleaned, invoice = form.cleaned_data, self.invoice()
        if invoice is None and not self.may["correct"]:
            raise ValidationError({"invoice": "Choose the invoice whose goods come back."})
        return record_return(
            party=invoice.party if invoice else cleaned["party"],
            invoice=invoice,
            lines=form.of_invoice if invoice else described_lines(lines.items()),
            return_date=cleaned["return_date"],
            reason=cleaned["reason"],
            may_go_without_invoice=self.may["correct"],
            key=self.token,
            by=self.request.user,
        )

    def said(self, record: Return) -> str:
        return f"Return {record.return_number} is recorded."

    def _show(self, form: Any, lines: BaseItemFormSet | None) -> HttpResponse:
        invoice = self.invoice()
        context = {
            "form": form,
            "lines": lines,
            "record": None,
            "invoice": invoice,
            "item_rows": form.rows(invoice) if invoice else None,
            "keep_key": f"{self.request.path}:{invoice.pk if invoice else ''}",
        }
        return self.page(self.template_name, context)


class ReturnDetailView(RecordMixin):
    """Two queries of its own; what it settles, history and the credit note are fragments."""

    http_method_names = ["get", "head", "options"]
    section = "returns"
    rows = staticmethod(return_page_rows)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        found: Return = self.record
        rest = rest_of(found, self.record.applied)
        context = {"returned": found, "items": list(found.items.all()), "rest": rest}
        return self.page("billing/returns/detail.html", context)


class ReturnApplyView(ApplyView):
    section = "returns"
    rows = staticmethod(return_page_rows)


class ReturnAppliedView(AppliedView):
    section = "returns"
    rows = staticmethod(all_returns)


class ReturnDeleteView(ActionView):
    section = "returns"
    required_role = Role.ACCOUNTANT
    rows = staticmethod(return_page_rows)

    def act(self, record: Return) -> str:
        delete_return(return_document=record, by=self.request.user)
        return f"Return {record.return_number} is deleted. What it settled is due again."

    def next_url(self, record: Return) -> str:
        return reverse("billing:return_list")
