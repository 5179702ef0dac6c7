"""The page on which a record is entered or changed, with or without lines.

    class PaymentCreateView(EntryView):
        section = "payments"
        template_name = "billing/payments/form.html"    # extends "billing/form_base.html"
        form_class = PaymentForm                         # Form(data, *, company=..., instance=...)
        def save(self, form, lines):                     # calls services; may raise ValidationError
            return record_payment(..., by=self.request.user)

For lines set `formset_class` (see billing/forms/items.py); for changing a record that is there, add
`RecordMixin` in front and `rows`. `save` runs in one transaction, and again if the database says
that it lost a race (`max_retries` times). The page's context: `form`, `lines`, `record`.
"""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.forms import BaseForm
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.forms.items import BaseItemFormSet
from billing.services.retrying import retry_transient
from billing.views.shared import PageMixin, add_errors


class EntryView(PageMixin):
    http_method_names = ["get", "head", "post", "options"]
    required_role = Role.CLERK
    max_retries: ClassVar[int] = 3
    template_name: ClassVar[str]
    form_class: ClassVar[Any]
    formset_class: ClassVar[type[BaseItemFormSet] | None] = None

    def save(self, form: Any, lines: Any) -> Any:
        raise NotImplementedError

    def said(self, record: Any) -> str:
        return f"{record} is saved."

    def next_url(self, record: Any) -> str:
        return str(record.get_absolute_url())

    def instance(self) -> models.Model | None:
        """The record that is changed; a new one for each attempt to save."""
        return getattr(self, "record", None)

    def initial(self) -> dict[str, Any]:
        return {}

    def make_form(self, data: QueryDict | None = None) -> BaseForm:
        form: BaseForm = self.form_class(
            data, company=self.request.company, instance=self.instance(), initial=self.initial()
        )
        return form

    def make_lines(self, data: QueryDict | None = None) -> BaseItemFormSet | None:
        if self.formset_class is None:
            return None
        return self.formset_class(data, company=self.request.company, instance=self.instance())

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self._show(self.make_form(), self.make_lines())

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form, lines = self.make_form(request.POST), self.make_lines(request.POST)
        # Both are asked, so that all errors are shown at once.
        valid = [part.is_valid() for part in (form, lines) if part is not None]
        if all(valid):
            try:
                record = retry_transient(lambda: self._save(form, lines), self.max_retries)
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, self.said(record))
                return redirect(self.next_url(record))
        return self._show(form, lines)

    def _save(self, form: BaseForm, lines: BaseItemFormSet | None) -> Any:
        with transaction.atomic():
            return self.save(form, lines)

    def context(self) -> dict[str, Any]:
        return {}

    def _show(self, form: BaseForm, lines: BaseItemFormSet | None) -> HttpResponse:
        shown = {"form": form, "lines": lines, "record": self.instance()}
        return self.page(self.template_name, {**shown, **self.context()})
