"""The company's documents, and one of them."""

from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.access import CompanyRequest
from documents.filters import DocumentFilter
from documents.selectors import (
    Edge,
    all_documents,
    document_with_requester,
    listed_documents,
    newest_first,
    runs_of,
    versions_of,
)
from documents.tables import DocumentTable
from documents.views.live import LiveView

PAGE_SIZE = 50


class DocumentListView(LiveView):
    template_name = "documents/list.html"
    parts = {"results": "documents/parts/results.html"}
    live_name = "documents:list_progress"
    section = "documents"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        company = request.company
        filters = DocumentFilter(request.GET, listed_documents(company), request=request)
        page = newest_first(
            filters.qs, all_rows=all_documents(company), edge=Edge.of(request.GET), size=PAGE_SIZE
        )
        return {
            "filters": filters,
            "page": page,
            "table": DocumentTable(page.rows, company=company),
            "empty": "documents/parts/no_documents.html",
            "is_final": all(document.is_final for document in page.rows),
        }


class DocumentView(LiveView):
    template_name = "documents/detail.html"
    parts = {"facts": "documents/parts/facts.html"}
    live_name = "documents:progress"
    section = "documents"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        pk: UUID = kwargs["pk"]
        document = document_with_requester(request.company, pk)
        if document is None:
            raise Http404("No such document.")
        versions = versions_of(request.company, document)
        return {
            "document": document,
            "versions": versions,
            "newest": versions[0] if versions[0].version > document.version else None,
            "runs": runs_of(request.company, document),
            "live_title": document.title,
            "news": f"The document is {document.get_state_display()}.",
            "is_final": document.is_final,
        }
