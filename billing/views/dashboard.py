"""The first page: what is owed and how late, the month, the latest papers and the runs."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.http import HttpResponse

from accounts.access import CompanyRequest
from billing.dates import today
from billing.selectors.dashboard import Bucket, figures_of
from billing.views.shared import PageMixin
from documents.models import Batch, BatchState
from documents.selectors import Progress, listed_batches, listed_documents, progress_of
from documents.views import LiveView

LATEST = 8
# The chart, in units of its own view box; it is drawn as wide as there is room.
_HEIGHT, _WIDTH, _STEP, _BAR = 210, 500, 100, 64


@dataclass(frozen=True)
class Bar:
    """One bar of the chart, of a height in proportion to its amount; the least is seen."""

    bucket: Bucket
    x: int
    height: int

    @property
    def y(self) -> int:
        return _HEIGHT - self.height

    @property
    def middle(self) -> int:
        return self.x + _BAR // 2


class DashboardView(PageMixin):
    http_method_names = ["get", "head", "options"]
    section = "dashboard"

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        figures = figures_of(request.company, today(request.company))
        context = {
            "figures": figures,
            "bars": bars_of(figures.buckets),
            "chart": {
                "width": _WIDTH,
                "height": _HEIGHT,
                "bar": _BAR,
                "whole": _HEIGHT + 22,
                "words": _HEIGHT + 17,
            },
        }
        return self.page("billing/dashboard/page.html", context)


def bars_of(buckets: list[Bucket]) -> list[Bar]:
    most = max((bucket.amount for bucket in buckets), default=Decimal(0))
    return [
        Bar(bucket, place * _STEP + (_STEP - _BAR) // 2, _height(bucket.amount, most))
        for place, bucket in enumerate(buckets)
    ]


def _height(amount: Decimal, most: Decimal) -> int:
    if amount <= 0 or most <= 0:
        return 0
    return max(2, int(amount * _HEIGHT / most))


class DashboardWorkView(LiveView):
    """The latest papers and the runs under way: a part of the page that follows the workers."""

    parts: ClassVar[dict[str, str]] = {"work": "billing/dashboard/work.html"}
    live_name = "billing:dashboard_work"
    section = "dashboard"
    fragment = True

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        documents = list(listed_documents(request.company).order_by("-created_at", "-id")[:LATEST])
        runs = list(_running(request.company))
        progress = progress_of(runs) if runs else {}
        return {
            "documents": documents,
            "runs": [(run, progress.get(run.pk) or Progress()) for run in runs],
            "is_final": not runs and all(document.is_final for document in documents),
        }


def _running(company: Any) -> list[Batch]:
    states = (BatchState.PLANNING, BatchState.RUNNING)
    return list(listed_batches(company).filter(state__in=states).order_by("-created_at")[:5])
