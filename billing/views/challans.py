"""Challans: the list, one of them, entering one, and its way to the invoice."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.dates import today
from billing.filters.postings import ChallanFilter
from billing.forms.challans import ChallanForm, ChallanItemFormSet
from billing.forms.shared import DayField
from billing.models import Challan, ChallanState, Invoice
from billing.selectors.postings import CHALLAN_SORTS, challan_page_rows, listed_challans
from billing.services import (
    cancel_challan,
    deliver_challan,
    invoice_challans,
    retry_transient,
    save_challan,
)
from billing.services.papers import request_paper
from billing.tables.postings import ChallanTable
from billing.views.bulk import BulkView
from billing.views.entries import ChangeMixin, EntryView
from billing.views.lists import BulkAction, RecordListView
from billing.views.shared import ActionView, RecordMixin

_INVOICE = BulkAction("invoice", "Make one invoice draft")


class ChallanListView(RecordListView):
    name, section, title = "challan", "challans", "Challans"
    rows = staticmethod(listed_challans)
    filter_class, table_class = ChallanFilter, ChallanTable
    sorts, default_sort = CHALLAN_SORTS, "date"
    export = {
        "Number": lambda row: row.challan_number,
        "State": lambda row: row.get_state_display(),
        "Date": lambda row: row.challan_date,
        "Delivered": lambda row: row.delivered_on,
        "Party code": lambda row: row.party.code,
        "Party": lambda row: row.party.name,
        "Vehicle": lambda row: row.vehicle,
        "Driver": lambda row: row.driver,
        "Place": lambda row: row.place,
        "Reference": lambda row: row.reference,
        "Invoice": lambda row: row.invoice or "",
        "Cancelled because": lambda row: row.cancel_reason,
    }
    new_label = "New challan"
    bulk_actions = (_INVOICE, BulkAction("paper", "Make PDFs", role=Role.VIEWER))


class ChallanBulkView(BulkView):
    """The ticked ones are invoiced together, in one draft, or not at all."""

    section = "challans"
    required_role = Role.VIEWER
    rows = staticmethod(lambda company: challan_page_rows(company).prefetch_related("items"))
    actions = ChallanListView.bulk_actions
    back = "billing:challan_list"
    paper_run = "challan-papers"
    made: Invoice | None = None

    def act(self, action: BulkAction, record: Challan) -> None:
        record.company = self.request.company  # already here: no query for it
        request_paper(record=record, by=self.request.user)

    def _act_on(self, action: BulkAction, records: list[Any]) -> None:
        if action != _INVOICE or not records:
            super()._act_on(action, records)
            return
        try:
            self.made = retry_transient(
                lambda: invoice_challans(challans=records, by=self.request.user)
            )
        except ValidationError as error:
            messages.error(self.request, f"No draft was made. {' '.join(error.messages)}")
        else:
            said = f"This draft has the items of {len(records)} challan"
            messages.success(self.request, f"{said}{'' if len(records) == 1 else 's'}.")

    def _back(self) -> str:
        return self.made.get_absolute_url() if self.made else super()._back()


class ChallanEntryView(EntryView):
    """What entering a challan and changing an open one have in common."""

    section = "challans"
    template_name = "billing/challans/form.html"
    form_class, formset_class = ChallanForm, ChallanItemFormSet

    def save(self, form: Any, lines: Any) -> Challan:
        # A copy: an attempt that failed must leave nothing behind for the next one.
        challan: Challan = self.keyed(copy(form.instance))
        return save_challan(challan=challan, items=lines.items(), by=self.request.user)

    def said(self, record: Challan) -> str:
        return f"Challan {record.challan_number} is saved."


class ChallanCreateView(ChallanEntryView):
    rows = staticmethod(challan_page_rows)

    def initial(self) -> dict[str, Any]:
        return {"party": self.request.GET.get("party", "")}


class ChallanUpdateView(RecordMixin, ChangeMixin, ChallanEntryView):
    """Open ones only: what was delivered stays as it is."""

    rows = staticmethod(challan_page_rows)

    def refused(self) -> HttpResponse | None:
        self.record.company = self.request.company
        if self.record.state == ChallanState.OPEN:
            return None
        return self.page("billing/challans/not_open.html", {"challan": self.record}, status=409)


class ChallanDetailView(RecordMixin):
    """Two queries of its own; history and the paper are fragments."""

    http_method_names = ["get", "head", "options"]
    section = "challans"
    rows = staticmethod(challan_page_rows)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        challan: Challan = self.record
        context = {
            "challan": challan,
            "items": list(challan.items.all()),
            "today": today(request.company),
            "may_cancel": challan.state in (ChallanState.OPEN, ChallanState.DELIVERED),
        }
        return self.page("billing/challans/detail.html", context)


class ChallanActionView(ActionView):
    section = "challans"
    rows = staticmethod(challan_page_rows)


class ChallanDeliverView(ChallanActionView):
    def act(self, record: Challan) -> str:
        day = DayField().clean(self.request.POST.get("delivered_on", ""))
        deliver_challan(challan=record, delivered_on=day, by=self.request.user)
        return f"Challan {record.challan_number} is delivered."


class ChallanCancelView(ChallanActionView):
    required_role = Role.ACCOUNTANT

    def act(self, record: Challan) -> str:
        cancel_challan(challan=record, reason=self.reason(), by=self.request.user)
        return f"Challan {record.challan_number} is cancelled. Its number stays taken."
