"""One paper to its party by e-mail: shown first, then sent."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Role
from documents.filenames import unicode_name
from documents.models import UNSENT, Document, MailSettings
from documents.selectors import all_documents, standing_of, versions_of
from documents.selectors.deliveries import deliveries_of
from documents.services.deliveries import send_document
from documents.services.mail_messages import sender_of
from documents.services.mail_templates import compose
from documents.services.recipients import address_problem, present_addresses


class SendView(MemberMixin):
    http_method_names = ["get", "head", "post", "options"]
    required_role = Role.CLERK

    def get(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponse:
        return self._page(self._document(pk))

    def post(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponse:
        document = self._document(pk)
        try:
            delivery = send_document(document=document, by=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return self._page(document)
        return redirect(delivery)

    def _document(self, pk: UUID) -> Document:
        document = all_documents(self.request.company).filter(pk=pk).first()
        if document is None:
            raise Http404("No such document.")
        return document

    def _page(self, document: Document) -> HttpResponse:
        company = self.request.company
        address = present_addresses(company, [document]).get(document.recipient_id, "")
        earlier = next(iter(deliveries_of([document.pk])[document.pk]), None)
        chosen = MailSettings.objects.filter(company=company).first() or MailSettings()
        context = {
            "company": company,
            "section": "documents",
            "document": document,
            "standing": standing_of([document, *versions_of(company, document)]),
            "address": address,
            "problem": address_problem(address),
            "earlier": earlier,
            "may_send": earlier is None or earlier.state in UNSENT,
            "sender": sender_of(company, chosen),
            "words": compose([document], company)[document.pk],
            "file_name": f"{unicode_name(document.title)}.pdf",
        }
        return render(self.request, "documents/deliveries/send.html", context)
