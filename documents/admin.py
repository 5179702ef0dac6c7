"""For operators: every company's documents and runs, to look at. Services make the changes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from documents.models import Batch, BatchJob, Document


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ("title", "company", "kind", "state", "attempts", "created_at", "made_by")
    list_filter = ("state", "held", "kind", "queue", "company")
    list_select_related = ("company",)
    search_fields = ("title", "recipient_code", "recipient_name", "=fingerprint", "=sha256")
    ordering = ("-created_at",)
    exclude = ("snapshot",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return Document.objects.across_companies()


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("title", "company", "kind", "state", "created_at", "finished_at")
    list_filter = ("state", "kind", "company")
    list_select_related = ("company",)
    search_fields = ("title",)
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return Batch.objects.across_companies()


@admin.register(BatchJob)
class BatchJobAdmin(ReadOnlyAdmin):
    list_display = ("batch", "step", "state", "attempts", "created_at", "failure")
    list_filter = ("state", "step")
    list_select_related = ("batch",)
    ordering = ("-created_at",)
