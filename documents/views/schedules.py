"""Runs that start by themselves: when, and whether anything is there to start them."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Role
from documents.forms.schedules import ScheduleForm
from documents.models import Schedule
from documents.selectors.schedules import all_schedules, planned_schedules
from documents.services.schedules import delete_schedule, save_schedule
from worker import models as engine
from worker.listening import is_heard
from worker.presence import is_present


class _SchedulesView(MemberMixin, View):
    required_role = Role.ACCOUNTANT

    def show(self, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = {"company": self.request.company, "section": "settings", "tab": "schedules"}
        return render(self.request, f"documents/schedules/{template}.html", {**shared, **context})

    def find(self, pk: UUID) -> Schedule:
        schedule = all_schedules(self.request.company).filter(pk=pk).first()
        if schedule is None:
            raise Http404("No such schedule.")
        return schedule


class ScheduleListView(_SchedulesView):
    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        planned = planned_schedules(request.company)
        return self.show("list", {"planned": planned, **(_missing() if planned else {})})


def _missing() -> dict[str, Any]:
    """What is not there to start runs: who ticks, and who listens to the queue of the ticks."""
    queue = settings.CELERY_TASK_DEFAULT_QUEUE
    return {
        "no_beat": not is_present(engine.Role.BEAT),
        "unheard_queue": "" if is_heard(queue) else queue,
    }


class ScheduleFormView(_SchedulesView):
    """Adds one, or changes one."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: CompanyRequest, pk: UUID | None = None, **kwargs: Any) -> HttpResponse:
        return self._page(self._form(pk))

    def post(self, request: CompanyRequest, pk: UUID | None = None, **kwargs: Any) -> HttpResponse:
        form = self._form(pk)
        if form.is_valid():
            try:
                save_schedule(schedule=form.save(commit=False), by=request.user)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "The schedule is saved.")
                return redirect("documents:schedules")
        return self._page(form)

    def _form(self, pk: UUID | None) -> ScheduleForm:
        company = self.request.company
        schedule = self.find(pk) if pk else Schedule(company=company)
        return ScheduleForm(
            self.request.POST or None, instance=schedule, time_zone=company.time_zone
        )

    def _page(self, form: ScheduleForm) -> HttpResponse:
        return self.show("form", {"form": form, "is_new": form.instance._state.adding})


class ScheduleDeleteView(_SchedulesView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponse:
        delete_schedule(schedule=self.find(pk))
        messages.success(request, "The schedule is gone. What it made stays.")
        return redirect("documents:schedules")
