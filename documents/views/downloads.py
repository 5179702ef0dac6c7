"""One stored PDF: checked against its hash, streamed, and never given to a stranger."""

import logging
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views import View

from accounts.access import CompanyRequest, MemberMixin
from documents.archive import Damaged, archive
from documents.models import Document
from documents.selectors import all_documents
from documents.views.filenames import content_disposition

log = logging.getLogger(__name__)


class PdfResponse(FileResponse):
    """Closes its file also when nothing of it is read, as on HEAD."""

    block_size = 256 * 1024


class DownloadView(MemberMixin, View):
    """`?inline=1` has the browser show it instead of saving it."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponseBase:
        document = all_documents(request.company).filter(pk=pk).first()
        if document is None:
            raise Http404("No such document.")
        if not document.is_ready:
            return self._explain("not_ready", document, status=409)
        unchanged = get_conditional_response(request, etag=quote_etag(document.sha256))
        if unchanged is not None:
            return _private(unchanged, document)
        try:
            return self._send(document)
        except Damaged as error:
            log.error("Document %s can't be downloaded: %s", document.pk, error)
            return self._explain("damaged", document, status=500)

    def _send(self, document: Document) -> HttpResponseBase:
        file = archive().open_checked(document.storage_key, document.sha256)
        response = PdfResponse(file, content_type="application/pdf")
        response["Content-Length"] = str(document.size)
        response["Content-Disposition"] = content_disposition(
            document.title, ".pdf", inline=self.request.GET.get("inline") == "1"
        )
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return _private(response, document)

    def _explain(self, page: str, document: Document, *, status: int) -> HttpResponse:
        context = {"document": document, "company": self.request.company, "section": "documents"}
        return render(self.request, f"documents/{page}.html", context, status=status)


def _private(response: HttpResponseBase, document: Document) -> HttpResponseBase:
    """Kept by the reader's own browser only, which asks each time whether it still may show it."""
    response["ETag"] = quote_etag(document.sha256)
    response["Cache-Control"] = "private, no-cache"
    return response
