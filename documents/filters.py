"""What lists can be narrowed by."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet

from documents.models import (
    TEST_EVENT,
    WEBHOOK_EVENTS,
    Batch,
    BatchItem,
    BatchState,
    Delivery,
    DeliveryState,
    Document,
    DocumentState,
    Notification,
    WebhookDelivery,
)
from documents.papers import paper_kinds
from documents.selectors import SKIPPED, wished_by

_SELECT = {"class": "form-select form-select-sm"}
_INPUT = {"class": "form-control form-control-sm"}
# What the states of documents leave out: failures put away, and files that the archive lost.
CLEARED, DAMAGED = "cleared", "damaged"
_DOCUMENT_STATES = [
    *DocumentState.choices,
    (CLEARED, "put away"),
    (DAMAGED, "file lost or changed"),
]
# Of a run's rows, what became of the e-mail is a state as well.
MAIL = "mail-"
_MAIL_STATES = [(f"{MAIL}{state}", f"e-mail {label}") for state, label in DeliveryState.choices]
_ITEM_STATES = [*DocumentState.choices, (SKIPPED, "skipped"), *_MAIL_STATES]


def _search(label: str, placeholder: str) -> django_filters.CharFilter:
    return django_filters.CharFilter(
        label=label,
        method="search",
        widget=forms.TextInput(
            attrs=_INPUT
            | {
                "type": "search",
                "placeholder": placeholder,
                "data-search": True,
                "autocomplete": "off",
                "maxlength": 100,
            }
        ),
    )


def _state(choices: Sequence[tuple[str, str]], **options: Any) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        label="State",
        choices=choices,
        empty_label="Any state",
        widget=forms.Select(attrs=_SELECT),
        **options,
    )


def _day(label: str, lookup: str, field: str) -> django_filters.DateFilter:
    return django_filters.DateFilter(
        label=label,
        field_name=field,
        lookup_expr=lookup,
        widget=forms.DateInput(attrs=_INPUT | {"type": "date"}),
    )


class _FilterSet(django_filters.FilterSet):  # type: ignore[misc]
    @property
    def is_narrowed(self) -> bool:
        return any(self.form.is_bound and self.form[name].data for name in self.filters)


class DocumentFilter(_FilterSet):
    """Periods match when they overlap the days that are asked for.

    Failures that were put away are shown only to who asks for them.
    """

    q = _search("Search", "Party or title")
    state = _state(_DOCUMENT_STATES, method="in_state")
    kind = django_filters.ChoiceFilter(
        label="Kind",
        choices=lambda: [(kind.name, kind.label) for kind in paper_kinds()],
        empty_label="Any kind",
        widget=forms.Select(attrs=_SELECT),
    )
    since = _day("Period from", "gte", "period_end")
    until = _day("to", "lte", "period_start")
    mine = django_filters.BooleanFilter(
        label="Requested by me",
        method="only_mine",
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )
    party = django_filters.UUIDFilter(field_name="recipient_id", widget=forms.HiddenInput)

    class Meta:
        model = Document
        fields: list[str] = []

    @property
    def is_sound(self) -> bool:
        """Whether every field made sense: what did not is left out, and more is found."""
        return not self.form.is_bound or self.form.is_valid()

    def filter_queryset(self, rows: "QuerySet[Document]") -> "QuerySet[Document]":
        found: QuerySet[Document] = super().filter_queryset(rows)
        asked = self.form.cleaned_data.get("state")
        return found if asked == CLEARED else found.filter(cleared_at=None)

    def search(self, rows: "QuerySet[Document]", name: str, value: str) -> "QuerySet[Document]":
        return rows.filter(
            Q(recipient_code__istartswith=value)
            | Q(recipient_name__icontains=value)
            | Q(title__icontains=value)
        )

    def in_state(self, rows: "QuerySet[Document]", name: str, value: str) -> Any:
        if value == CLEARED:
            return rows.filter(cleared_at__isnull=False)
        if value == DAMAGED:
            return rows.exclude(damage="")
        return rows.filter(state=value)

    def only_mine(self, rows: "QuerySet[Document]", name: str, value: bool) -> Any:
        mine = wished_by(self.request.company, self.request.user)
        return rows.filter(pk__in=mine) if value else rows


class BatchFilter(_FilterSet):
    q = _search("Search", "Title")
    state = _state(BatchState.choices)

    class Meta:
        model = Batch
        fields: list[str] = []

    def search(self, rows: "QuerySet[Batch]", name: str, value: str) -> "QuerySet[Batch]":
        return rows.filter(title__icontains=value)


class ItemFilter(_FilterSet):
    q = _search("Search", "Code or name")
    state = _state(_ITEM_STATES, method="in_state")

    class Meta:
        model = BatchItem
        fields: list[str] = []

    def search(self, rows: "QuerySet[BatchItem]", name: str, value: str) -> "QuerySet[BatchItem]":
        return rows.filter(Q(code__istartswith=value) | Q(name__icontains=value))

    def in_state(self, rows: "QuerySet[BatchItem]", name: str, value: str) -> Any:
        if value == SKIPPED:
            return rows.filter(document__isnull=True)
        if value.startswith(MAIL):
            mails = Delivery.objects.for_company(self.request.company).filter(
                document=OuterRef("document"), state=value.removeprefix(MAIL)
            )
            return rows.filter(Exists(mails))
        return rows.filter(document__state=value)


class NotificationFilter(_FilterSet):
    unread = django_filters.BooleanFilter(
        label="Unread only",
        method="only_unread",
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    class Meta:
        model = Notification
        fields: list[str] = []

    def only_unread(self, rows: "QuerySet[Notification]", name: str, value: bool) -> Any:
        return rows.filter(read_at=None) if value else rows


class WebhookDeliveryFilter(_FilterSet):
    state = _state(WebhookDelivery.STATES)
    event = django_filters.ChoiceFilter(
        label="Event",
        choices=[(event, event) for event in (*WEBHOOK_EVENTS, TEST_EVENT)],
        empty_label="Any event",
        widget=forms.Select(attrs=_SELECT),
    )

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []


def _runs_with_mail(request: Any) -> "QuerySet[Batch]":
    asked = Delivery.objects.for_company(request.company).filter(batch=OuterRef("pk"))
    runs = Batch.objects.for_company(request.company).filter(Exists(asked))
    return runs.only("title").order_by("-created_at")


class DeliveryFilter(_FilterSet):
    """A run's e-mails are those with its papers, whoever asked for them."""

    q = _search("Search", "Party, address or paper")
    state = _state(DeliveryState.choices)
    run = django_filters.ModelChoiceFilter(
        label="Run",
        queryset=_runs_with_mail,
        method="of_run",
        empty_label="Any run",
        widget=forms.Select(attrs=_SELECT),
    )
    party = django_filters.UUIDFilter(field_name="recipient_id", widget=forms.HiddenInput)

    class Meta:
        model = Delivery
        fields: list[str] = []

    @property
    def is_sound(self) -> bool:
        return not self.form.is_bound or self.form.is_valid()

    def search(self, rows: "QuerySet[Delivery]", name: str, value: str) -> "QuerySet[Delivery]":
        return rows.filter(
            Q(recipient_name__icontains=value)
            | Q(address__icontains=value)
            | Q(document__title__icontains=value)
        )

    def of_run(self, rows: "QuerySet[Delivery]", name: str, value: Batch) -> Any:
        papers = BatchItem.objects.filter(batch=value, document=OuterRef("document"))
        return rows.filter(Exists(papers))
