"""The company's endpoints and what was sent to them. For owners."""

import json
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Role
from documents.filters import WebhookDeliveryFilter
from documents.forms.webhooks import EndpointForm
from documents.models import WebhookDelivery, WebhookEndpoint
from documents.selectors import Edge, newest_first
from documents.selectors.webhooks import (
    deliveries_to,
    delivery_of,
    endpoints_of,
    listed_endpoints,
    replays_of,
)
from documents.services import webhook_endpoints as services
from documents.tables.webhooks import WebhookDeliveryTable
from documents.views.live import LiveView

PAGE_SIZE = 50
# What is tried again later than this does not keep a page asking.
_SOON = timedelta(minutes=1)


class _OwnersView(MemberMixin, View):
    required_role = Role.OWNER

    def show(self, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = {"company": self.request.company, "section": "settings", "tab": "webhooks"}
        return render(self.request, f"documents/webhooks/{template}.html", {**shared, **context})


class _EndpointMixin(MemberMixin, View):
    """A page of one endpoint. A stranger's is not found, before anybody asks for roles."""

    required_role = Role.OWNER
    endpoint: WebhookEndpoint

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "membership", None) is not None:
            found = endpoints_of(self.request.company).filter(pk=kwargs["pk"]).first()
            if found is None:
                raise Http404("No such endpoint.")
            self.endpoint = found
        return super().dispatch(request, *args, **kwargs)


class _DeliveryMixin(MemberMixin, View):
    required_role = Role.OWNER
    delivery: WebhookDelivery

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "membership", None) is not None:
            found = delivery_of(self.request.company, kwargs["pk"])
            if found is None:
                raise Http404("No such delivery.")
            self.delivery = found
        return super().dispatch(request, *args, **kwargs)


class EndpointListView(_OwnersView):
    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self.show("list", {"endpoints": list(listed_endpoints(request.company))})


@method_decorator(never_cache, name="dispatch")
class EndpointAddView(_OwnersView):
    """The answer to the POST shows the secret. A form that comes twice leads to what it added."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self.show("form", {"form": EndpointForm()})

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = EndpointForm(request.POST)
        if not form.is_valid():
            return self.show("form", {"form": form})
        there = endpoints_of(request.company).filter(pk=form.cleaned_data["pk"]).first()
        if there is not None:
            return redirect(there)
        try:
            endpoint = services.add_endpoint(
                company=request.company, by=request.user, **form.cleaned_data
            )
        except ValidationError as error:
            form.add_error(None, error)
            return self.show("form", {"form": form})
        return self.show("secret", {"endpoint": endpoint, "is_new": True})


class EndpointChangeView(_EndpointMixin, _OwnersView):
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        endpoint = self.endpoint
        initial = {name: getattr(endpoint, name) for name in ("pk", "url", "description", "events")}
        return self._show(EndpointForm(initial=initial))

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = EndpointForm(request.POST)
        if not form.is_valid():
            return self._show(form)
        wanted = {name: form.cleaned_data[name] for name in ("url", "description", "events")}
        try:
            services.change_endpoint(endpoint=self.endpoint, by=request.user, **wanted)
        except ValidationError as error:
            form.add_error(None, error)
            return self._show(form)
        messages.success(request, "The endpoint is saved.")
        return redirect(self.endpoint)

    def _show(self, form: EndpointForm) -> HttpResponse:
        return self.show("form", {"form": form, "endpoint": self.endpoint})


class EndpointView(_EndpointMixin, LiveView):
    """One endpoint, and what was sent to it."""

    template_name = "documents/webhooks/endpoint.html"
    parts = {
        "endpoint": "documents/webhooks/endpoint_facts.html",
        "results": "documents/parts/results.html",
    }
    live_name = "documents:webhook_progress"
    section = "settings"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        rows = deliveries_to(self.endpoint)
        filters = WebhookDeliveryFilter(request.GET, rows.defer("payload"), request=request)
        page = newest_first(filters.qs, all_rows=rows, edge=Edge.of(request.GET), size=PAGE_SIZE)
        return {
            "tab": "webhooks",
            "endpoint": self.endpoint,
            "filters": filters,
            "page": page,
            "table": WebhookDeliveryTable(page.rows, company=request.company),
            "empty": "documents/webhooks/no_deliveries.html",
            "is_final": not any(map(_moves_soon, page.rows)),
        }


class DeliveryView(_DeliveryMixin, LiveView):
    template_name = "documents/webhooks/delivery.html"
    parts = {"facts": "documents/webhooks/delivery_facts.html"}
    live_name = "documents:webhook_delivery_progress"
    section = "settings"

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        delivery = self.delivery
        return {
            "tab": "webhooks",
            "delivery": delivery,
            "endpoint": delivery.endpoint,
            "payload": json.dumps(delivery.payload, indent=2, sort_keys=True, ensure_ascii=False),
            "others": replays_of(delivery),
            "news": f"The event is {delivery.state_in_words}.",
            "is_final": not _moves_soon(delivery),
        }


def _moves_soon(delivery: WebhookDelivery) -> bool:
    return not delivery.is_final and delivery.next_attempt_at < timezone.now() + _SOON


class _EndpointAction(_EndpointMixin, _OwnersView):
    """One change by POST; `act` does it and returns what to say."""

    http_method_names = ["post", "options"]
    goes_to_list: ClassVar[bool] = False

    def act(self, request: CompanyRequest) -> str:
        raise NotImplementedError

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        endpoint = self.endpoint
        try:
            messages.success(request, self.act(request))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(endpoint)
        return redirect("documents:webhooks" if self.goes_to_list else endpoint)


class EndpointOnView(_EndpointAction):
    def act(self, request: CompanyRequest) -> str:
        services.enable_endpoint(endpoint=self.endpoint, by=request.user)
        return "The endpoint is on. What was cancelled can be sent again one by one."


class EndpointOffView(_EndpointAction):
    def act(self, request: CompanyRequest) -> str:
        reason = f"Switched off by {request.user}."
        services.disable_endpoint(endpoint=self.endpoint, reason=reason, by=request.user)
        return "The endpoint is off. What waited for it is cancelled."


class EndpointDeleteView(_EndpointAction):
    goes_to_list = True

    def act(self, request: CompanyRequest) -> str:
        services.delete_endpoint(endpoint=self.endpoint, by=request.user)
        return "The endpoint is gone, with the list of what was sent to it."


class EndpointTestView(_EndpointAction):
    def act(self, request: CompanyRequest) -> str:
        services.send_test(endpoint=self.endpoint)
        return "A test event is on its way. What comes of it is shown below."


@method_decorator(never_cache, name="dispatch")
class RotateSecretView(_EndpointMixin, _OwnersView):
    """The answer shows the new secret; sent again, it finds that the old one is not present."""

    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponse:
        try:
            endpoint = services.rotate_secret(
                endpoint=self.endpoint, mark=request.POST.get("mark", ""), by=request.user
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(self.endpoint)
        return self.show("secret", {"endpoint": endpoint, "is_new": False})


class ReplayView(_DeliveryMixin, _OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        try:
            again = services.replay(delivery=self.delivery, by=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(self.delivery)
        messages.success(request, "The same message is sent once more, under the same id.")
        return redirect(again)
