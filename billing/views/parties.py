"""Parties: the list, one of them with what it owes, entering one, and its use."""

from copy import copy
from typing import Any

from django.http import HttpResponse

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.dates import today
from billing.filters.postings import PartyFilter
from billing.forms.parties import PartyForm
from billing.models import Party
from billing.money import ZERO, total
from billing.selectors.balances import balance_of
from billing.selectors.credits import unapplied_sources
from billing.selectors.postings import (
    MOST_OPEN,
    PARTY_SORTS,
    all_parties,
    open_invoices,
    papers_about,
    sum_due,
)
from billing.services.parties import activate_party, deactivate_party, save_party
from billing.tables.postings import PartyTable
from billing.views.entries import ChangeMixin, EntryView
from billing.views.lists import RecordListView
from billing.views.shared import ActionView, FragmentMixin, RecordMixin


class PartyListView(RecordListView):
    name, section, title = "party", "parties", "Parties"
    rows = staticmethod(all_parties)
    filter_class, table_class = PartyFilter, PartyTable
    sorts, default_sort = PARTY_SORTS, "code"
    sums = {"current": ("Balance", "balance__current")}
    export = {
        "Code": lambda row: row.code,
        "Name": lambda row: row.name,
        "Active": lambda row: "yes" if row.is_active else "no",
        "E-mail": lambda row: row.email,
        "Phone": lambda row: row.phone,
        "Address": lambda row: row.address,
        "Country": lambda row: row.country,
        "Tax id": lambda row: row.tax_id,
        "Terms, days": lambda row: row.payment_terms_days,
        "Credit limit": lambda row: row.credit_limit,
        "Balance": lambda row: balance_of(row).current,
    }
    new_label = "New party"


class PartyEntryView(EntryView):
    section = "parties"
    template_name = "billing/parties/form.html"
    form_class = PartyForm

    def save(self, form: Any, lines: Any) -> Party:
        return save_party(party=self.keyed(copy(form.instance)), by=self.request.user)


class PartyCreateView(PartyEntryView):
    rows = staticmethod(all_parties)


class PartyUpdateView(RecordMixin, ChangeMixin, PartyEntryView):
    rows = staticmethod(all_parties)

    def instance(self) -> Party:
        found: Party = self.record
        found.company = self.request.company
        return found


class PartyDetailView(RecordMixin):
    """Two queries of its own; credit, papers and history are fragments."""

    http_method_names = ["get", "head", "options"]
    section = "parties"
    rows = staticmethod(all_parties)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        party: Party = self.record
        party.company = request.company
        balance, invoices = balance_of(party), open_invoices(party)
        limit = party.credit_limit
        context = {
            "party": party,
            "balance": balance,
            "over_limit": limit is not None and balance.current > limit,
            "invoices": invoices,
            "due": sum_due(invoices),
            "cut_at": MOST_OPEN if len(invoices) == MOST_OPEN else None,
            "today": today(request.company),
        }
        return self.page("billing/parties/detail.html", context)


class PartyCreditView(FragmentMixin, RecordMixin):
    """The party's unapplied credit with its sources: on its page, and when an invoice is paid."""

    http_method_names = ["get", "head", "options"]
    rows = staticmethod(all_parties)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        party: Party = self.record
        party.company = request.company
        sources = unapplied_sources(party)
        opening = balance_of(party).opening
        rest = total(source.rest for source in sources)
        context = {
            "party": party,
            "sources": sources,
            "opening": max(-opening, ZERO),
            "owed_before": min(max(opening, ZERO), rest),
            "credit": rest + max(-opening, ZERO),
            "invoice": request.GET.get("invoice", ""),
        }
        return self.page("billing/parties/credit.html", context)


class PartyPapersView(FragmentMixin, RecordMixin):
    http_method_names = ["get", "head", "options"]
    rows = staticmethod(all_parties)

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        papers = papers_about(request.company, self.record)
        return self.page("billing/parties/papers.html", {"papers": papers, "party": self.record})


class PartyDeactivateView(ActionView):
    section = "parties"
    required_role = Role.ACCOUNTANT
    rows = staticmethod(all_parties)

    def act(self, record: Party) -> str:
        record.company = self.request.company
        deactivate_party(party=record, by=self.request.user)
        return f"{record.name} is inactive: nothing new can be entered for it."


class PartyActivateView(PartyDeactivateView):
    def act(self, record: Party) -> str:
        activate_party(party=record, by=self.request.user)
        return f"{record.name} is active again."
