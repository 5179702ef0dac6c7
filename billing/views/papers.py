"""Records as PDF: rendered and stored here and now, or asked for and followed on the page."""

import base64
import time
from collections.abc import Callable
from typing import Any, ClassVar

from csp.decorators import csp_replace
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import get_template
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Company
from billing.models import Challan, Invoice, Payment, Return
from billing.services.papers import (
    CHALLAN,
    INVOICE,
    PAYMENT_RECEIPT,
    RETURN_RECEIPT,
    Printable,
    paper_of,
    request_paper,
)
from documents.archive import archive
from documents.filenames import content_disposition
from documents.fingerprints import fingerprint
from documents.models import Document
from documents.papers import Paper
from documents.rendering.paper import paper_html
from documents.selectors import all_documents
from documents.services.making import make_document
from documents.views import LiveView
from documents.views.live import WAITS
from worker.running import work_on

# How long one who needs the PDF now waits for another worker that is at it.
_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.1

_RECORDS: dict[str, Callable[[Company], "models.QuerySet[Any]"]] = {
    INVOICE.name: lambda company: Invoice.objects.for_company(company),
    PAYMENT_RECEIPT.name: lambda company: Payment.objects.for_company(company),
    RETURN_RECEIPT.name: lambda company: Return.objects.for_company(company),
    CHALLAN.name: lambda company: Challan.objects.for_company(company),
}


class PaperNotMade(Exception):
    """The PDF can't be had now; the message says why, in a clerk's words."""


def generate_invoice_pdf(invoice: Invoice) -> HttpResponse:
    """The stored PDF of the invoice as it is now, or one rendered and stored now.

    Raises PaperNotMade. Call it outside a transaction: it renders.
    """
    return _pdf_now(invoice)


def generate_payment_receipt_pdf(payment: Payment) -> HttpResponse:
    """The same for a payment's receipt; without an invoice it says "General Payment"."""
    return _pdf_now(payment)


def generate_return_receipt_pdf(return_document: Return) -> HttpResponse:
    """The same for a return's credit note."""
    return _pdf_now(return_document)


def generate_challan_pdf(challan: Challan) -> HttpResponse:
    """The same for a delivery challan."""
    return _pdf_now(challan)


def _pdf_now(record: Printable) -> HttpResponse:
    try:
        document = _made(request_paper(record=record, by=None))
    except ValidationError as error:
        raise PaperNotMade(" ".join(error.messages)) from error
    content = archive().read(document.storage_key, document.sha256)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition(document.title, ".pdf", inline=True)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _made(document: Document) -> Document:
    """The document once it is ready: made by this process, or by the worker that was faster."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not document.is_ready:
        work_on(Document, document.pk, make_document)
        document = all_documents(document.company).get(pk=document.pk)
        if document.is_final and not document.is_ready:
            raise PaperNotMade(document.failure or "It was cancelled.")
        if time.monotonic() > deadline:
            raise PaperNotMade("Another worker is still at it. Try again in a moment.")
        if not document.is_ready:
            time.sleep(_POLL_SECONDS)
    return document


def _find_record(company: Company, kind: str, pk: Any) -> Any:
    if kind not in _RECORDS:
        raise Http404("No such kind of paper.")
    record = _RECORDS[kind](company).select_related("party").filter(pk=pk).first()
    if record is None:
        raise Http404("No such record.")
    record.company = company  # already here: no query for it
    return record


class PaperView(LiveView):
    """The state of a record's paper, as a part of its page. POST asks for the PDF.

    Whoever may read the record may have its PDF made: it changes nothing in the books.
    """

    http_method_names = ["get", "head", "options", "post"]
    parts: ClassVar[dict[str, str]] = {"paper": "billing/papers/state.html"}
    live_name = "billing:paper"
    section = ""
    fragment = True
    wait_after_change = WAITS[0]

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        record = _find_record(request.company, kwargs["kind"], kwargs["pk"])
        paper = paper_of(record, keep=False)
        versions = _versions(request.company, paper)
        present = next((it for it in versions if it.fingerprint == fingerprint(paper)), None)
        return {
            "kind": kwargs["kind"],
            "record": record,
            "document": present,
            "earlier": next((it for it in versions if it.is_ready), None) if not present else None,
            "news": f"The PDF is {present.get_state_display()}." if present else "",
            "is_final": present is None or present.is_final,
        }

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponseBase:
        record = _find_record(request.company, kwargs["kind"], kwargs["pk"])
        is_part = request.headers.get("HX-Request") == "true"
        try:
            document = request_paper(record=record, by=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            # A part of the page has no place for messages: the whole is loaded anew.
            return HttpResponseClientRefresh() if is_part else redirect(record)
        if is_part:
            return self.get(request, **kwargs)
        return redirect(document)


def _versions(company: Company, paper: Paper) -> list[Document]:
    rows = all_documents(company).filter(kind=paper.kind.name, subject_id=paper.subject_id)
    return list(rows.order_by("-version")[:50])


@method_decorator(xframe_options_sameorigin, name="dispatch")
@method_decorator(csp_replace({"frame-ancestors": ["'self'"]}), name="dispatch")
class PreviewView(MemberMixin):
    """The paper as a page: its own template and stylesheet, filled with the present facts.

    For a frame within the record's page, and to be read by itself.
    """

    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        record = _find_record(request.company, kwargs["kind"], kwargs["pk"])
        paper = paper_of(record, keep=False)
        html = paper_html(template=paper.kind.template, snapshot=paper.snapshot)
        html = html.replace("</head>", f"{_styles(request)}</head>", 1)
        return HttpResponse("<!doctype html>\n" + _with_logo(html, paper, request.company))


def _with_logo(html: str, paper: Paper, company: Company) -> str:
    """The logo as data: nothing is written for a preview, so the archive may not hold it yet."""
    logo = paper.snapshot["company"]["logo"]
    if not logo:
        return html
    with company.logo.open("rb") as file:
        data = base64.b64encode(file.read()).decode()
    return html.replace(f"asset:{logo['sha256']}", f"data:{logo['media_type']};base64,{data}")


def _styles(request: HttpRequest) -> SafeString:
    nonce: str = request.csp_nonce  # type: ignore[attr-defined]
    return format_html(
        '<meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>'
        '<style nonce="{}">{}{}</style>',
        nonce,
        SafeString(_source("pdf/print.css")),  # our own files, no user's text
        SafeString(_source("pdf/screen.css")),
    )


def _source(name: str) -> str:
    template: Any = get_template(name)
    return str(template.template.source)
