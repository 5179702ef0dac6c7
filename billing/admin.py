"""For operators: every company's records, the deleted ones too.

Nothing is posted here: amounts, numbers and states move through the services only, so what is in
the books can be looked at and not changed. Deleted rows stand beside the others, marked inactive.
"""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from billing.models import (
    Allocation,
    Balance,
    BalanceDrift,
    Challan,
    ChallanItem,
    Invoice,
    InvoiceItem,
    NumberSequence,
    Party,
    Payment,
    Recomputation,
    RecomputationChunk,
    Return,
    ReturnItem,
)


class _Records(admin.ModelAdmin[Any]):
    """All companies, all rows; no count of a million rows for each page."""

    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Any]":
        manager = getattr(self.model, "all_objects", self.model._default_manager)
        rows: models.QuerySet[Any] = manager.across_companies()
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows


class _Posted(_Records):
    """To be looked at: the services make the changes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _Lines(admin.TabularInline[Any, Any]):
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class InvoiceItems(_Lines):
    model = InvoiceItem


class ReturnItems(_Lines):
    model = ReturnItem
    fields = ("position", "sku", "description", "quantity", "unit_price", "tax_rate", "net")


class ChallanItems(_Lines):
    model = ChallanItem


@admin.register(Party)
class PartyAdmin(_Records):
    """A party's facts are no posting: they may be corrected here, and a deleted one restored."""

    list_display = ("code", "name", "company", "country", "email", "is_active")
    list_filter = ("is_active", "company")
    list_select_related = ("company",)
    search_fields = ("code", "name", "email")
    ordering = ("company", "code")
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A party stays with its company."""
        return (*self.readonly_fields, "company") if obj else ("created_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Invoice)
class InvoiceAdmin(_Posted):
    list_display = (
        "__str__",
        "company",
        "party",
        "state",
        "invoice_date",
        "currency",
        "total",
        "paid",
        "returned",
        "is_active",
    )
    list_filter = ("is_active", "state", "company")
    list_select_related = ("company", "party")
    search_fields = ("=invoice_number", "=party__code", "party__name", "=reference")
    ordering = ("-invoice_date", "-id")
    inlines = [InvoiceItems]


@admin.register(Payment)
class PaymentAdmin(_Posted):
    list_display = (
        "payment_number",
        "company",
        "party",
        "payment_date",
        "currency",
        "amount",
        "method",
        "voided_at",
        "is_active",
    )
    list_filter = ("is_active", "method", "company")
    list_select_related = ("company", "party")
    search_fields = ("=payment_number", "=party__code", "party__name", "=reference")
    ordering = ("-payment_date", "-id")


@admin.register(Return)
class ReturnAdmin(_Posted):
    list_display = (
        "return_number",
        "company",
        "party",
        "return_date",
        "currency",
        "total",
        "is_active",
    )
    list_filter = ("is_active", "company")
    list_select_related = ("company", "party")
    search_fields = ("=return_number", "=party__code", "party__name")
    ordering = ("-return_date", "-id")
    inlines = [ReturnItems]


@admin.register(Challan)
class ChallanAdmin(_Posted):
    list_display = ("challan_number", "company", "party", "state", "challan_date", "is_active")
    list_filter = ("is_active", "state", "company")
    list_select_related = ("company", "party")
    search_fields = ("=challan_number", "=party__code", "party__name", "=reference")
    ordering = ("-challan_date", "-id")
    inlines = [ChallanItems]


@admin.register(Balance)
class BalanceAdmin(_Posted):
    list_display = ("party", "company", "opening", "invoiced", "returned", "paid", "current")
    list_filter = ("company",)
    list_select_related = ("company", "party")
    search_fields = ("=party__code", "party__name")
    ordering = ("-current",)


@admin.register(Allocation)
class AllocationAdmin(_Posted):
    list_display = ("invoice", "payment", "return_document", "company", "amount", "applied_on")
    list_filter = ("company",)
    list_select_related = ("company", "invoice", "payment", "return_document")
    search_fields = ("=invoice__invoice_number", "=payment__payment_number")
    ordering = ("-applied_on", "-id")


class RecomputationChunks(_Lines):
    model = RecomputationChunk
    fields = ("position", "state", "attempts", "parties", "drifting", "corrected", "failure")
    readonly_fields = fields
    ordering = ("position",)


@admin.register(Recomputation)
class RecomputationAdmin(_Posted):
    list_display = (
        "__str__",
        "company",
        "mode",
        "state",
        "parties",
        "drifting",
        "corrected",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "mode", "company")
    list_select_related = ("company",)
    ordering = ("-created_at", "-id")
    inlines = [RecomputationChunks]


@admin.register(BalanceDrift)
class BalanceDriftAdmin(_Posted):
    list_display = ("party", "column", "before", "after", "is_applied", "cause", "recomputation")
    list_filter = ("column", "is_applied")
    list_select_related = ("party", "recomputation")
    search_fields = ("=party__code", "party__name")
    ordering = ("-recomputation__created_at", "id")

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Any]":
        """Its rows belong to a company through their recomputation."""
        return BalanceDrift.objects.order_by(*self.ordering)


@admin.register(NumberSequence)
class NumberSequenceAdmin(_Posted):
    list_display = ("company", "series", "fiscal_year", "next_number")
    list_filter = ("series", "company")
    list_select_related = ("company",)
    ordering = ("company", "series", "-fiscal_year")
