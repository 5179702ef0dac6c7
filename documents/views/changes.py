"""What changed between two versions of a paper."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from accounts.access import CompanyRequest, MemberMixin
from documents.models import Document
from documents.selectors import document_with_facts, standing_of, versions_of
from documents.selectors.changes import changes_between


class ChangesView(MemberMixin):
    """The version of the address, compared with the one that `with` names, or the one before it."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        company = request.company
        document = document_with_facts(company, kwargs["pk"])
        if document is None:
            raise Http404("No such document.")
        versions = versions_of(company, document)
        other = self._other(document, versions)
        facts = document_with_facts(company, other.pk) if other else None
        older, newer = sorted((document, facts or document), key=lambda it: it.version)
        context = {
            "company": company,
            "section": "documents",
            "document": document,
            "versions": versions,
            "standing": standing_of([document, *versions]),
            "other": other,
            "older": older,
            "newer": newer,
            "changes": changes_between(older, newer, locale=company.locale),
        }
        return render(request, "documents/changes.html", context)

    def _other(self, document: Document, versions: list[Document]) -> Document | None:
        others = [version for version in versions if version.pk != document.pk]
        asked = self.request.GET.get("with", "")
        if asked:
            chosen = next((it for it in others if str(it.version) == asked), None)
            if chosen is None:
                raise Http404("No such version.")
            return chosen
        earlier = [version for version in others if version.version < document.version]
        return next(iter(earlier or others), None)
