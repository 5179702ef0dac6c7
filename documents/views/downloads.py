"""One stored PDF: checked against its hash, streamed, and never given to a stranger."""

import logging
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from accounts.access import CompanyRequest, MemberMixin
from documents.archive import Damaged
from documents.filenames import content_disposition
from documents.models import Document
from documents.selectors import all_documents
from documents.views.ranges import Download, hand_out, stored_file

log = logging.getLogger(__name__)


class DownloadView(MemberMixin, View):
    """`?inline=1` has the browser show it instead of saving it."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponseBase:
        document = all_documents(request.company).filter(pk=pk).first()
        if document is None:
            raise Http404("No such document.")
        if not document.is_ready:
            return self._explain("not_ready", document, status=409)
        try:
            return hand_out(request, self._download(document))
        except Damaged as error:
            log.error("Document %s can't be downloaded: %s", document.pk, error)
            return self._explain("damaged", document, status=500)

    def _download(self, document: Document) -> Download:
        inline = self.request.GET.get("inline") == "1"
        return stored_file(
            key=document.storage_key,
            sha256=document.sha256,
            size=document.size,
            content_type="application/pdf",
            disposition=content_disposition(document.title, ".pdf", inline=inline),
        )

    def _explain(self, page: str, document: Document, *, status: int) -> HttpResponse:
        context = {"document": document, "company": self.request.company, "section": "documents"}
        return render(self.request, f"documents/{page}.html", context, status=status)
