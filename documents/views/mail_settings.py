"""How a company's e-mails go out, and what they say: for its owners."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Role
from documents.forms.mail import MailSettingsForm, MailTemplateForm
from documents.models import Document, MailSettings, MailTemplate
from documents.papers import PaperKind, paper_kinds
from documents.selectors import all_documents
from documents.services.mail_settings import change_mail_settings, send_test
from documents.services.mail_templates import (
    PLACEHOLDERS,
    Words,
    filled,
    restore_default,
    save_template,
    words_of,
)

_SAMPLES = 10


class _OwnersView(MemberMixin):
    required_role = Role.OWNER

    def show(self, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        shared = {"company": self.request.company, "section": "settings", "tab": "mail"}
        name = f"documents/deliveries/{template}.html"
        return render(self.request, name, {**shared, **context}, status=status)


class MailSettingsView(_OwnersView):
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self._page(self._form())

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = self._form(request.POST)
        if form.is_valid():
            change_mail_settings(company=request.company, by=request.user, **form.cleaned_data)
            messages.success(request, "Saved. E-mails go out like this from now on.")
            return redirect("documents:mail_settings")
        return self._page(form)

    def _form(self, data: Any = None) -> MailSettingsForm:
        company = self.request.company
        row = MailSettings.objects.filter(company=company).first() or MailSettings()
        hints = {
            "from_name": company.legal_name,
            "from_address": settings.DEFAULT_FROM_EMAIL,
            "reply_to": company.email,
        }
        return MailSettingsForm(data, instance=row, hints=hints)

    def _page(self, form: MailSettingsForm) -> HttpResponse:
        own = set(
            MailTemplate.objects.filter(company=self.request.company).values_list("kind", flat=True)
        )
        kinds = [(kind, kind.name in own) for kind in paper_kinds()]
        return self.show("settings", {"form": form, "kinds": kinds})


class TestMailView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        try:
            answer = send_test(company=request.company, to=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, f"Sent to {request.user.email}. {answer}")
        return redirect("documents:mail_settings")


class MailTemplateView(_OwnersView):
    """POST saves, or, with the button for it, only shows what it would look like."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: CompanyRequest, kind: str, **kwargs: Any) -> HttpResponse:
        words = words_of(request.company, _kind(kind).name, request.company.locale)
        form = MailTemplateForm(initial={"subject": words.subject, "body": words.body})
        return self._page(form, kind, words)

    def post(self, request: CompanyRequest, kind: str, **kwargs: Any) -> HttpResponse:
        form = MailTemplateForm(request.POST)
        if not form.is_valid():
            return self._page(form, kind, None)
        words = Words(form.cleaned_data["subject"], form.cleaned_data["body"])
        if request.POST.get("action") == "preview":
            return self._page(form, kind, words)
        try:
            save_template(
                company=request.company,
                kind=_kind(kind).name,
                subject=words.subject,
                body=words.body,
                by=request.user,
            )
        except ValidationError as error:
            form.add_error(None, error)
            return self._page(form, kind, None)
        messages.success(request, "Saved. E-mails that are asked for from now on say this.")
        return redirect("documents:mail_template", kind=kind)

    def _page(self, form: MailTemplateForm, kind: str, words: Words | None) -> HttpResponse:
        company = self.request.company
        samples = list(
            all_documents(company)
            .filter(kind=_kind(kind).name)
            .defer("snapshot", "failure_detail")
            .order_by("-created_at")[:_SAMPLES]
        )
        sample = self._sample(samples)
        own = MailTemplate.objects.filter(company=company, kind=kind).exists()
        context = {
            "form": form,
            "kind": _kind(kind),
            "is_own": own,
            "placeholders": [(f"{{{name}}}", means) for name, means in PLACEHOLDERS.items()],
            "samples": samples,
            "sample": sample,
            "preview": filled(words, sample, company) if words and sample else None,
        }
        return self.show("wording", context)

    def _sample(self, samples: list[Document]) -> Document | None:
        asked = self.request.POST.get("sample") or self.request.GET.get("sample", "")
        try:
            wanted = UUID(asked)
        except ValueError:
            wanted = None
        chosen = (document for document in samples if document.pk == wanted)
        return next(chosen, samples[0] if samples else None)


class RestoreTemplateView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, kind: str, **kwargs: Any) -> HttpResponse:
        if restore_default(company=request.company, kind=_kind(kind).name, by=request.user):
            messages.success(request, "These are the words that Pressroom comes with.")
        return redirect("documents:mail_template", kind=kind)


def _kind(name: str) -> PaperKind:
    kind = next((known for known in paper_kinds() if known.name == name), None)
    if kind is None:
        raise Http404("No such kind of paper.")
    return kind
