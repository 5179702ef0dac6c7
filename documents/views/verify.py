"""Is this file what was issued? For members by file or hash, and for who holds a paper."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from accounts.access import CompanyRequest, MemberMixin
from documents.forms.verification import FileForm, HashForm
from documents.models import Document
from documents.selectors.verification import (
    Outcome,
    Verdict,
    issued_under,
    standing_version,
    verify_claim,
    verify_hash,
    versions_made,
)
from documents.uploads import HashedUpload
from documents.verification import fingerprint_named_in
from documents.views.uploading import UploadView


@method_decorator(csrf_exempt, name="dispatch")  # UploadView checks, once it can take the file
class VerifyView(MemberMixin, UploadView):
    """POST a file, or GET `?sha256=`, which is an address that stays."""

    http_method_names = ["get", "head", "post", "options"]
    keeps_content = True
    request: CompanyRequest

    def get(self, request: CompanyRequest) -> HttpResponse:
        if "sha256" not in request.GET:
            return self._show()
        form = HashForm(request.GET)
        if not form.is_valid():
            return self._show(hash_form=form, status=400)
        sha256 = form.cleaned_data["sha256"]
        verdict = verify_hash(request.company, sha256)
        return self._show(hash_form=form, verdict=verdict, sha256=sha256)

    def post(self, request: CompanyRequest) -> HttpResponse:
        form = FileForm(request.POST, request.FILES, handler=self.handler)
        if not form.is_valid():
            return self._show(file_form=form, status=400)
        verdict = self._look_at(form.upload)
        return self._show(verdict=verdict, sha256=form.upload.sha256, name=form.upload.name)

    def _look_at(self, upload: HashedUpload) -> Verdict:
        verdict = verify_hash(self.request.company, upload.sha256)
        if verdict.outcome != Outcome.UNKNOWN or upload.file is None:
            return verdict
        return verify_claim(self.request.company, fingerprint_named_in(upload.file))

    def refuse(self, request: HttpRequest, reason: str) -> HttpResponse:
        return self._show(refusal=reason, status=413)

    def _show(self, *, status: int = 200, **context: Any) -> HttpResponse:
        known = {"company": self.request.company, "section": "verify"}
        forms = {"file_form": FileForm(), "hash_form": HashForm()}
        page = "documents/verify/verify.html"
        return render(self.request, page, {**known, **forms, **context}, status=status)


@method_decorator(csrf_exempt, name="dispatch")
class PublicVerifyView(UploadView):
    """The address that is printed on a paper. Who has its code may see what the paper itself says,
    and nothing else.

    The answer about a file is given to a POST only, and only to one of this page's own form: an
    address, or another site's form, could show the answer for a good file to who holds a bad one.
    """

    http_method_names = ["get", "head", "post", "options"]
    document: Document

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        document = issued_under(kwargs["code"])
        if document is None:
            response: HttpResponseBase = render(
                request, "documents/verify/no_such_paper.html", status=404
            )
        else:
            self.document = document
            response = super().dispatch(request, *args, **kwargs)
        return _private(response)

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        return self._show(FileForm())

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        form = FileForm(request.POST, request.FILES, handler=self.handler)
        if not form.is_valid():
            return self._show(form, status=400)
        return self._show(FileForm(), upload=form.upload, match=self._match(form.upload.sha256))

    def refuse(self, request: HttpRequest, reason: str) -> HttpResponse:
        return self._show(FileForm(), refusal=reason, status=413)

    def _match(self, sha256: str) -> str:
        if sha256 == self.document.sha256:
            return "same"
        is_sibling = versions_made(self.document).filter(sha256=sha256).exists()
        return "other version" if is_sibling else "none"

    def _show(self, form: FileForm, *, status: int = 200, **context: Any) -> HttpResponse:
        company = self.document.company
        facts = {
            "document": self.document,
            "company": company,
            "issuer": self.document.issuer or company.legal_name,  # type: ignore[attr-defined]
            "standing": standing_version(self.document),
            "file_form": form,
        }
        page = "documents/verify/paper.html"
        return render(self.request, page, {**facts, **context}, status=status)


def _private(response: HttpResponseBase) -> HttpResponseBase:
    """The code in the address is all the secret there is: no cache keeps it, no index lists it."""
    add_never_cache_headers(response)
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response
