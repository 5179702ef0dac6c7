"""What each party owes, with the opening balances to be entered in place."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import CompanyRequest
from accounts.exports import note_export
from accounts.models import Role
from billing.dates import today
from billing.filters.balances import BalanceFilter
from billing.forms.balances import BalanceForm, BalanceFormSet, BaseBalanceFormSet
from billing.models import Party
from billing.money import ZERO
from billing.selectors.balances import (
    BALANCE_SORTS,
    BALANCE_SUMS,
    balance_of,
    parties_with_balance,
    with_last_statement,
)
from billing.selectors.lists import Order, page_of, sums_of
from billing.services.balances import set_opening
from billing.services.retrying import retry_transient
from billing.views.exports import Export, csv_response
from billing.views.shared import FragmentMixin, add_errors
from documents.selectors import Edge, Page

PAGE_SIZE = 50
EXPORT: Export = {
    "Code": lambda party: party.code,
    "Party": lambda party: party.name,
    "Opening": lambda party: balance_of(party).opening,
    "Opening date": lambda party: balance_of(party).opening_date,
    "Invoiced": lambda party: balance_of(party).invoiced,
    "Returned": lambda party: balance_of(party).returned,
    "Paid": lambda party: balance_of(party).paid,
    "Current": lambda party: balance_of(party).current,
    "Credit limit": lambda party: party.credit_limit,
    "Last statement": lambda party: party.statement_end,
}


class BalanceManageView(FragmentMixin):
    """A page of parties; POST saves the opening balances of its rows, all or none."""

    http_method_names = ["get", "head", "post", "options"]
    section = "balances"
    required_role_to_change = Role.ACCOUNTANT
    max_retries = 3
    part = "page"

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponseBase:
        answers = {"page": self._page, "totals": self._totals, "export": self._export}
        return answers[self.part]()

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        openings = BalanceFormSet(request.POST, form_kwargs={"currency": request.company.currency})
        parties = self._submitted_parties(openings)
        if openings.is_valid():
            refused = self._save(openings)
            if not refused:
                messages.success(request, _said(len(openings.changed())))
                return redirect(self._here())
        else:
            messages.error(request, "Nothing was saved: look at what is marked.")
        page = Page(list(parties), None, None, is_first=True)
        return self._show(page, openings)

    def _submitted_parties(self, openings: BaseBalanceFormSet) -> Sequence[Party]:
        """The parties of the submitted rows, in their order; one that is not ours is a 404."""
        wanted = openings.party_ids()
        company = self.request.company
        rows = with_last_statement(parties_with_balance(company).filter(pk__in=wanted), company)
        known = {party.pk: party for party in rows}
        if set(wanted) - known.keys():
            raise Http404("No such party.")
        found = [known[pk] for pk in wanted]
        for party in found:
            party.company = company
        openings.attach(found)
        return found

    def _save(self, openings: BaseBalanceFormSet) -> bool:
        """Save what changed. True: something was refused, and nothing was saved."""

        def save() -> None:
            with transaction.atomic():
                for form in openings.changed():
                    self._set(form)

        try:
            retry_transient(save, self.max_retries)
        except ValidationError:
            messages.error(self.request, "Nothing was saved: look at what is marked.")
            return True
        return False

    def _set(self, form: BalanceForm) -> None:
        if form.record is None:
            raise Http404("No such party.")
        try:
            set_opening(
                party=form.record,
                opening=form.cleaned_data["opening"] or ZERO,
                opening_date=form.cleaned_data["opening_date"],
                by=self.request.user,
            )
        except ValidationError as error:
            add_errors(form, error)
            raise

    def _here(self) -> str:
        query = self.request.GET.urlencode()
        return reverse("billing:balances") + (f"?{query}" if query else "")

    def _filters(self) -> BalanceFilter:
        rows = parties_with_balance(self.request.company)
        return BalanceFilter(self.request.GET, rows, request=self.request)

    def _order(self) -> Order:
        return Order.of(self.request.GET.get("sort", ""), BALANCE_SORTS, "code")

    def _page(self) -> HttpResponse:
        company = self.request.company
        page = page_of(
            with_last_statement(self._filters().qs, company),
            all_rows=Party.all_objects.for_company(company).only("pk"),
            order=self._order(),
            edge=Edge.of(self.request.GET),
            size=PAGE_SIZE,
        )
        return self._show(page, BaseBalanceFormSet.for_parties(page.rows, company.currency))

    def _show(self, page: Page[Party], openings: BaseBalanceFormSet) -> HttpResponse:
        forms = {form.record.pk: form for form in openings.forms if form.record}
        context = {
            "filters": self._filters(),
            "page": page,
            "order": self._order(),
            "openings": openings,
            "rows": [(party, balance_of(party), forms.get(party.pk)) for party in page.rows],
            "totals_url": reverse("billing:balances_totals"),
            "export_url": reverse("billing:balances_export"),
        }
        return self.page("billing/balances/list.html", context)

    def _totals(self) -> HttpResponse:
        sums = sums_of(self._filters().qs, dict(BALANCE_SUMS), self.request.company.currency)
        shown = [(name.capitalize(), sums[name]) for name in BALANCE_SUMS]
        return self.page("billing/parts/totals.html", {"count": sums["count"], "sums": shown})

    def _export(self) -> HttpResponseBase:
        company = self.request.company
        rows = with_last_statement(self._filters().qs, company).order_by(*self._order().columns)
        note_export(self.request, "balances as CSV")
        return csv_response(rows, EXPORT, name=f"balances {today(company).isoformat()}")


def _said(count: int) -> str:
    if not count:
        return "Nothing had changed."
    return f"{count} opening balance{'' if count == 1 else 's'} saved."
