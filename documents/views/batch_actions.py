"""What the buttons of a run's page do, each by POST; a refusal comes back as a message."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views import View

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Role
from documents.models import Batch, BatchJob
from documents.selectors import all_batches
from documents.services.batch_actions import (
    cancel_batch,
    pause_batch,
    resume_batch,
    retry_failed,
)
from documents.services.batch_files import cancel_file, request_file
from documents.services.batch_sending import send_batch


class _BatchActionView(MemberMixin, View):
    """The run is fetched before the role is asked for: what is not theirs is 404 to everybody."""

    http_method_names = ["post", "options"]
    required_role = Role.CLERK
    batch: Batch

    def act(self, batch: Batch) -> str:
        """Do it, and say what was done. Raises ValidationError."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "membership", None) is not None:
            self.batch = self._find(kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def _find(self, pk: UUID) -> Batch:
        company = self.request.company
        batch = all_batches(company).select_related("company").filter(pk=pk).first()
        if batch is None:
            raise Http404("No such run.")
        return batch

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        try:
            messages.success(request, self.act(self.batch))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        return redirect(self.batch)

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        """After signing in, nobody can POST again: on to the page that the button stood on."""
        return redirect_to_login(reverse("documents:batch", args=[self.kwargs["pk"]]))


class PauseView(_BatchActionView):
    def act(self, batch: Batch) -> str:
        held = pause_batch(batch=batch, by=self.request.user)
        return f"Paused: {_papers(held)} until the run is resumed." if held else "Paused."


class ResumeView(_BatchActionView):
    def act(self, batch: Batch) -> str:
        resume_batch(batch=batch, by=self.request.user)
        return "The run goes on."


class CancelView(_BatchActionView):
    def act(self, batch: Batch) -> str:
        cancelled = cancel_batch(batch=batch, by=self.request.user)
        papers = "1 paper that was" if cancelled == 1 else f"{cancelled} papers that were"
        return f"Cancelled, with {papers} not made yet."


class RetryView(_BatchActionView):
    """With `cancelled=1` also what was cancelled."""

    def act(self, batch: Batch) -> str:
        also = self.request.POST.get("cancelled") == "1"
        queued = retry_failed(batch=batch, by=self.request.user, with_cancelled=also)
        return f"{queued} queued again." if queued else "The run is planned again."


class SendView(_BatchActionView):
    required_role = Role.ACCOUNTANT

    def act(self, batch: Batch) -> str:
        count = send_batch(batch=batch, by=self.request.user)
        mails = "1 e-mail is on its" if count == 1 else f"{count} e-mails are on their"
        return f"{mails} way. What can't be sent says why in its row."


class PrepareView(_BatchActionView):
    """`step` is `zip` or `merge`."""

    step = BatchJob.Step.ZIP

    def act(self, batch: Batch) -> str:
        job = request_file(batch=batch, step=self.step, by=self.request.user)
        return f"The {job.get_step_display()} is being made. You may close this page meanwhile."


class CancelFileView(_BatchActionView):
    step = BatchJob.Step.ZIP

    def act(self, batch: Batch) -> str:
        cancel_file(batch=batch, step=self.step, by=self.request.user)
        return f"The {self.step.label} is no longer made."


def _papers(count: int) -> str:
    return "1 paper waits" if count == 1 else f"{count} papers wait"
