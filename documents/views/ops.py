"""The page for whoever runs this installation: of no company, and for staff only."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.mixins import AccessMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View
from django_htmx.http import HttpResponseClientRefresh

from documents.selectors.ops import Bar, failures_by_reason, read_ops, throughput

_SPANS = {"1": 1, "24": 24}
_WIDTH, _HEIGHT = 720, 120


@dataclass(frozen=True)
class Column:
    """A bar as it is drawn, in units of the chart."""

    bar: Bar
    x: float
    width: float
    ready_y: float
    ready_height: float
    failed_y: float
    failed_height: float


class OpsView(AccessMixin, View):
    """The page, and, as `fragment`, what it asks for again every few seconds."""

    http_method_names = ["get", "head", "options"]
    fragment = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return HttpResponseClientRefresh() if self.fragment else self.handle_no_permission()
        if not request.user.is_staff:
            raise Http404("For staff.")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        span = request.GET.get("hours", "")
        hours = _SPANS.get(span, 1)
        bars = throughput(hours=hours)
        context = {
            "ops": read_ops(),
            "reasons": failures_by_reason(),
            "hours": hours,
            "chart": _chart(bars),
            "width": _WIDTH,
            "height": _HEIGHT,
            "most": _most(bars),
            "made": sum(bar.ready for bar in bars),
            "failed": sum(bar.failed for bar in bars),
        }
        template = "documents/ops/parts.html" if self.fragment else "documents/ops/page.html"
        return render(request, template, context)


def _most(bars: list[Bar]) -> int:
    return max((bar.ready + bar.failed for bar in bars), default=0)


def _chart(bars: list[Bar]) -> list[Column]:
    """Made ones from the ground up, failed ones on top."""
    unit = _HEIGHT / max(1, _most(bars))
    step = _WIDTH / max(1, len(bars))
    return [
        Column(
            bar=bar,
            x=round(place * step + 1, 1),
            width=round(step - 2, 1),
            ready_y=round(_HEIGHT - bar.ready * unit, 1),
            ready_height=round(bar.ready * unit, 1),
            failed_y=round(_HEIGHT - (bar.ready + bar.failed) * unit, 1),
            failed_height=round(bar.failed * unit, 1),
        )
        for place, bar in enumerate(bars)
    ]
