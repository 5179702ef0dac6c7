"""What is done to one invoice from its page, and the totals that follow what is typed."""

from decimal import InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.dates import today
from billing.forms import InvoiceForm, InvoiceItemFormSet
from billing.forms.shared import token_of
from billing.models import Invoice, InvoiceState
from billing.money import Totals
from billing.selectors.lists import invoice_page_rows
from billing.services import (
    copy_invoice,
    delete_draft,
    issue_invoice,
    preview_totals,
    void_invoice,
)
from billing.services.challan_states import challans_not_taken_over
from billing.views.sent_forms import version_of
from billing.views.shared import ActionView, FragmentMixin, RecordMixin

_CHANGED = "The draft was changed since this page was drawn: look it over, and issue it then."


class InvoiceActionView(ActionView):
    section = "invoices"
    rows = staticmethod(invoice_page_rows)


class InvoiceIssueView(InvoiceActionView):
    def act(self, record: Invoice) -> str:
        with transaction.atomic():
            self._require_as_drawn(record)
            issued = issue_invoice(invoice=record, by=self.request.user)
        return f"Invoice {issued.invoice_number} is issued."

    def _require_as_drawn(self, record: Invoice) -> None:
        """What is issued is what was looked at; a page without a version is not compared."""
        drawn = self.request.POST.get("version")
        drafts = invoice_page_rows(self.request.company).filter(state=InvoiceState.DRAFT)
        locked = drafts.select_for_update(of=("self",), no_key=True)
        now = locked.filter(pk=record.pk).first()
        if drawn and now is not None and version_of(now) != drawn:
            raise ValidationError(_CHANGED)


class InvoiceVoidView(InvoiceActionView):
    required_role = Role.ACCOUNTANT

    def act(self, record: Invoice) -> str:
        void_invoice(invoice=record, reason=self.reason(), by=self.request.user)
        return f"Invoice {record.invoice_number} is void. Its number stays taken."


class InvoiceCopyView(InvoiceActionView):
    def act(self, record: Invoice) -> str:
        token = token_of(self.request.POST.get("token", ""))
        mine = invoice_page_rows(self.request.company)
        again = token is not None and mine.filter(pk=token).exists()
        self.copied = copy_invoice(invoice=record, by=self.request.user, key=token)
        if again:
            return "The invoice was copied already: this is the draft that was made then."
        said = "This is a new draft with the same lines, dated today."
        left = challans_not_taken_over(source=record, copied=self.copied)
        if left:
            numbers = ", ".join(challan.challan_number for challan in left)
            said += f" It bills none of the challans of the other one: {numbers}."
        return said

    def next_url(self, record: Invoice) -> str:
        return reverse("billing:invoice_edit", args=[self.copied.pk])


class InvoiceDeleteView(InvoiceActionView):
    def act(self, record: Invoice) -> str:
        delete_draft(invoice=record, by=self.request.user)
        return "The draft is deleted."

    def next_url(self, record: Invoice) -> str:
        return reverse("billing:invoice_list")


class InvoiceComputeView(FragmentMixin):
    """The totals of what stands in the form, saved or not. POST, for it may be long; it saves
    nothing. What can't be read yet is left out and said.
    """

    http_method_names = ["post", "options"]
    required_role = Role.CLERK

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = InvoiceForm(request.POST, company=request.company, instance=self.invoice())
        form.full_clean()
        lines = InvoiceItemFormSet(request.POST, company=request.company)
        lines.is_valid()
        rows = [row for row in lines.typed() if row.is_valid()]
        items = lines.items()
        form.instance.invoice_date = form.instance.invoice_date or today(request.company)
        totals, refused = _totals(form.instance, items)
        context = {
            "invoice": form.instance,
            "totals": totals,
            "refused": refused,
            "left_out": len(lines.typed()) - len(rows),
            "nets": [
                (row.prefix, item.net if totals else None)
                for row, item in zip(rows, items, strict=True)
            ],
        }
        return self.page("billing/invoices/live_totals.html", context)

    def invoice(self) -> Invoice | None:
        return None


class InvoiceComputeForView(RecordMixin, InvoiceComputeView):
    """The same for a draft that is there already: its prices are as they were."""

    rows = staticmethod(invoice_page_rows)

    def invoice(self) -> Invoice:
        found: Invoice = self.record
        found.company = self.request.company
        return found


def _totals(invoice: Invoice, items: list[Any]) -> tuple[Totals | None, str]:
    try:
        return preview_totals(invoice=invoice, items=items), ""
    except ValidationError as error:
        return None, " ".join(error.messages)
    except InvalidOperation:
        return None, "The amounts are too large."
