"""Spreading money over a party's open invoices: what payments and credits have in common."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse

from accounts.access import CompanyRequest
from billing.forms.payments import ApplyForm, SharesMixin
from billing.models import Party, Payment, Return
from billing.money import as_text, total
from billing.selectors.postings import (
    MOST_OPEN,
    allocations_of,
    rest_of,
    sum_due,
)
from billing.services import apply_credit
from billing.services.settling import lock_source, unapplied_of
from billing.views.entries import EntryView
from billing.views.shared import FragmentMixin, RecordMixin


def shares_context(form: SharesMixin, party: Party | None, amount: Decimal) -> dict[str, Any]:
    """What templates/billing/payments/shares.html shows."""
    if party is None:
        return {"share_rows": None}
    rows = form.rows(party)
    spread = form.spread_sum(rows)
    return {
        "share_rows": rows,
        "share_party": party,
        "due_sum": sum_due([row.invoice for row in rows]),
        "spread_sum": spread,
        "left": amount - spread,
        "over": spread - amount,
        "cut_at": MOST_OPEN if len(rows) == MOST_OPEN else None,
        "row_errors": form.row_errors,
    }


_APPLIED_SINCE = (
    "Of {} something was applied since this page was drawn, or it was sent twice: {} is left. Look "
    "over what it settles now, and apply again what is still wanted."
)


class ApplyView(RecordMixin, EntryView):
    """What is left of a payment or return, applied to open invoices of its party.

    `rows` give each of them what of it is `applied` already.
    """

    template_name = "billing/payments/apply.html"
    form_class = ApplyForm

    def source_rest(self) -> Decimal:
        if not hasattr(self, "_rest"):
            self.record.company = self.request.company
            self.record.party.company = self.request.company
            self._rest = rest_of(self.record, self.record.applied)
        return self._rest

    def make_form(self, data: Any = None) -> ApplyForm:
        rest = self.source_rest()  # first of all: it gives the record its company
        form = ApplyForm(data, company=self.request.company, instance=self.record)
        form.rest = rest
        wanted = self.request.GET.get("invoice", "")
        for invoice in form.open_invoices_of(self.record.party) if data is None else []:
            if str(invoice.pk) == wanted:
                share = min(rest, invoice.due)
                text = as_text(share, self.request.company.currency)
                form.initial = {"allocations": {wanted: text}}
        return form

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        if "save" not in request.POST and {"spread", "look"} & set(request.POST):
            form = self.make_form(request.POST)
            if "spread" in request.POST:
                form.spread(self.source_rest(), self.record.party)
            self._shown = form
            return self._show(form, None)
        return super().post(request, **kwargs)

    def save(self, form: Any, lines: Any) -> Payment | Return:
        source: Payment | Return = self.record
        self._require_as_drawn(source)
        for invoice, amount in sorted(form.shares, key=lambda share: share[0].pk):
            apply_credit(source=source, invoice=invoice, amount=amount, by=self.request.user)
        return source

    def _require_as_drawn(self, source: Payment | Return) -> None:
        """Sent twice it applies once; a form without what was left is not compared."""
        drawn = self.request.POST.get("left", "")
        left = as_text(unapplied_of(lock_source(source)), self.request.company.currency)
        if drawn and drawn != left:
            raise ValidationError(_APPLIED_SINCE.format(source, left))

    def said(self, record: Any) -> str:
        return f"The credit of {record} is applied."

    def _show(self, form: Any, lines: Any) -> HttpResponse:
        shares = shares_context(form, self.record.party, self.source_rest())
        rest = self.source_rest()
        context = {"form": form, "lines": None, "record": self.record, "rest": rest}
        context["left_of_it"] = as_text(rest, self.request.company.currency)
        return self.page(self.template_name, context | shares | {"section": self.section})


class AppliedView(FragmentMixin, RecordMixin):
    """Which invoices a payment or return settles, for its page."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        source: Payment | Return = self.record
        parts = allocations_of(source)
        context = {
            "parts": parts,
            "rest": rest_of(source, total(part.amount for part in parts)),
            "apply_url": reverse(self._apply_name(), args=[source.pk]),
        }
        return self.page("billing/payments/applied.html", context)

    def _apply_name(self) -> str:
        kind = "payment" if isinstance(self.record, Payment) else "return"
        return f"billing:{kind}_apply"
