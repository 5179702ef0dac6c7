"""The page on which a record is entered or changed, with or without lines.

    class PaymentCreateView(EntryView):
        section = "payments"
        template_name = "billing/payments/form.html"    # extends "billing/form_base.html"
        form_class = PaymentForm                         # Form(data, *, company=..., instance=...)
        def save(self, form, lines):                     # calls services; may raise ValidationError
            return record_payment(..., key=self.token, by=self.request.user)

For lines set `formset_class` (see billing/forms/items.py); for changing a record that is there, add
`RecordMixin` in front and `rows`. `save` runs in one transaction, and again if the database says
that it lost a race (`max_retries` times). The page's context: `form`, `lines`, `record`, `token`,
`version`.

A form carries a token. That of a new record becomes the record's key: a form that is sent twice,
one after the other or at once, makes one record. `rows` are those that it may have made, or that
are changed. What a form was sent with, and what it left behind, is remembered for a day: the same
again counts once, by the button that issues it issues, and something else is shown and not saved.

The form of a record that is there carries its version where the view is a `ChangeMixin`: who saves
what somebody else has changed meanwhile is told, and nothing is saved. What the same form has saved
before is no change of somebody else.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.forms import BaseForm
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.functional import cached_property

from accounts.access import CompanyRequest
from accounts.models import Role
from billing.forms.items import BaseItemFormSet
from billing.forms.shared import token_of
from billing.services.retrying import retry_transient
from billing.views import sent_forms
from billing.views.sent_forms import SentForm, version_of
from billing.views.shared import PageMixin, add_errors

ModelT = TypeVar("ModelT", bound=models.Model)

_TWICE = "The form was sent twice: it counts once, as it came first."
_OTHERWISE = (
    "This form was sent before, with something else in it. {} What stands here now is not saved: "
    "save it as another one if both are wanted."
)
# What it made is deleted, or the token is of something else that nobody here may see.
_USED = "This form was used before. Look over what is in it, and save it again as a new one."
_CHANGED = (
    "Somebody changed it meanwhile. Look at it in another tab: what you typed takes its place if "
    "you save again."
)


class EntryView(PageMixin):
    http_method_names = ["get", "head", "post", "options"]
    required_role = Role.CLERK
    max_retries: ClassVar[int] = 3
    template_name: ClassVar[str]
    form_class: ClassVar[Any]
    formset_class: ClassVar[type[BaseItemFormSet] | None] = None
    rows: Any = None

    def save(self, form: Any, lines: Any) -> Any:
        raise NotImplementedError

    def said(self, record: Any) -> str:
        return f"{record} is saved."

    def next_url(self, record: Any) -> str:
        return str(record.get_absolute_url())

    def instance(self) -> models.Model | None:
        """The record that is changed; a new one for each attempt to save."""
        return getattr(self, "record", None)

    @cached_property
    def token(self) -> UUID | None:
        """What the form was sent with, if it was."""
        return token_of(self.request.POST.get("token", ""))

    def keyed(self, record: ModelT) -> ModelT:
        """A new record under the form's token; one that is there as it is."""
        if self.token is not None and record._state.adding:
            record.pk = self.token
        return record

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

    def go_on(self, made: Any) -> Any:
        """What another button asks for beyond what the same form did to `made`; None if nothing."""
        return None

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        made = self._made_before()
        if made is not None:
            return self._again(made)
        form, lines = self.make_form(request.POST), self.make_lines(request.POST)
        record = self._saved(form, lines)
        if record is not None:
            messages.success(request, self.said(record))
            return redirect(self.next_url(record))
        # Refused, it may be, for what the same form did that arrived at the same moment.
        made = self._made_before()
        return self._show(form, lines) if made is None else self._again(made)

    def _made_before(self) -> Any:
        """What the same form has made, or changed just so, when it was sent before."""
        if self.token is None:
            return None
        changed = self.instance()
        if changed is None:
            return self.rows(self.request.company).filter(pk=self.token).first()
        sent = self._sent()
        if (sent.get("typed"), sent.get("button")) != (self._typed, self._button):
            return None
        return self.rows(self.request.company).filter(pk=changed.pk).first()

    def _again(self, made: Any) -> HttpResponse:
        sent = self._sent()
        if sent and sent["typed"] != self._typed:
            return self._other_content(made)
        if sent and sent["button"] != self._button and sent["left"] == version_of(made):
            try:
                gone_on = self.go_on(made)
            except ValidationError as error:
                messages.error(self.request, f"{self.said(made)} {' '.join(error.messages)}")
                return redirect(self.next_url(made))
            if gone_on is not None:
                messages.success(self.request, self.said(gone_on))
                return redirect(self.next_url(gone_on))
        messages.info(self.request, f"{self.said(made)} {_TWICE}")
        return redirect(self.next_url(made))

    def _other_content(self, made: Any) -> HttpResponse:
        """The form with what is typed now, as one of another record."""
        form, lines = self.make_form(self.request.POST), self.make_lines(self.request.POST)
        for part in (form, lines):
            if part is not None:
                part.is_valid()
        form.add_error(None, _OTHERWISE.format(self.said(made)))
        self.token = None
        return self._show(form, lines)

    @property
    def _typed(self) -> str:
        return sent_forms.typed_in(self.request.POST)

    @property
    def _button(self) -> str:
        return sent_forms.button_of(self.request.POST)

    def _sent(self) -> SentForm:
        """How the same form was sent before."""
        return {} if self.token is None else sent_forms.recall(self.request.user.pk, self.token)

    def _saved(self, form: BaseForm, lines: BaseItemFormSet | None) -> Any:
        """The record, or None with what is wrong in the form."""
        # Both are asked, so that all errors are shown at once.
        valid = [part.is_valid() for part in (form, lines) if part is not None]
        if not all(valid):
            return None
        try:
            return retry_transient(lambda: self._save(form, lines), self.max_retries)
        except ValidationError as error:
            add_errors(form, error)
        except IntegrityError as error:
            if not self._is_of_token(error):
                raise
            if self._made_before() is None:
                form.add_error(None, _USED)
                self.token = None
        return None

    def _is_of_token(self, error: IntegrityError) -> bool:
        if self.token is None or self.instance() is not None:
            return False
        table = self.rows(self.request.company).model._meta.db_table
        return f"{table}_pkey" in str(error) or f"{table}.id" in str(error)

    def _save(self, form: BaseForm, lines: BaseItemFormSet | None) -> Any:
        with transaction.atomic():
            record = self.save(form, lines)
            if self.token is not None:
                left = version_of(self.rows(self.request.company).get(pk=record.pk))
                sent: SentForm = {"typed": self._typed, "button": self._button, "left": left}
                sent_forms.remember(self.request.user.pk, self.token, sent)
            return record

    def context(self) -> dict[str, Any]:
        return {}

    def _show(self, form: BaseForm, lines: BaseItemFormSet | None) -> HttpResponse:
        shown = {"form": form, "lines": lines, "record": self.instance()}
        return self.page(self.template_name, {**shown, **self.context()})

    def page(
        self, template: str, context: Mapping[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        return super().page(template, {"token": self.token or uuid4(), **(context or {})}, status)


class ChangeMixin(EntryView):
    """Between RecordMixin and an EntryView: changes a record that is there."""

    record: Any

    def refused(self) -> HttpResponse | None:
        """The page that says why the record can't be changed, if it can't."""
        return None

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self.refused() or super().get(request, **kwargs)

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        # Issued, it may be, by the same form when it was sent before.
        refused = None if self._made_before() else self.refused()
        return refused or super().post(request, **kwargs)

    @cached_property
    def version(self) -> str:
        """Of what the form is or was drawn for; one that was sent without it is not compared."""
        if self.request.method == "POST":
            return self.request.POST.get("version", "")
        return version_of(self.record)

    def _save(self, form: BaseForm, lines: BaseItemFormSet | None) -> Any:
        with transaction.atomic():
            mine = self.rows(self.request.company).filter(pk=self.record.pk)
            # Not its key: a posting for a party shares that when it is committed.
            now = mine.select_for_update(of=("self",), no_key=True).first()
            mine_so_far = (self.version, self._sent().get("left"))
            if self.version and now is not None and version_of(now) not in mine_so_far:
                self.version = version_of(now)
                raise ValidationError(_CHANGED)
            return super()._save(form, lines)

    def page(
        self, template: str, context: Mapping[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        return super().page(template, {"version": self.version, **(context or {})}, status)
