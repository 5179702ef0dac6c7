"""Returns."""

from django.urls import URLPattern, path

from billing import views
from billing.selectors.postings import all_returns
from billing.views.paper_runs import PaperRunView

urlpatterns: list[URLPattern] = [
    path("", views.ReturnListView.as_view(), name="return_list"),
    path("totals/", views.ReturnListView.as_view(part="totals"), name="return_totals"),
    path("export/", views.ReturnListView.as_view(part="export"), name="return_export"),
    path("bulk/", views.ReturnBulkView.as_view(), name="return_bulk"),
    path(
        "run/",
        PaperRunView.as_view(listing=views.ReturnListView, kind="return-papers"),
        name="return_run",
    ),
    path("create/", views.ReturnCreateView.as_view(), name="return_create"),
    path("<uuid:pk>/", views.ReturnDetailView.as_view(), name="return_detail"),
    path("<uuid:pk>/apply/", views.ReturnApplyView.as_view(), name="return_apply"),
    path("<uuid:pk>/applied/", views.ReturnAppliedView.as_view(), name="return_applied"),
    path("<uuid:pk>/delete/", views.ReturnDeleteView.as_view(), name="return_delete"),
    path(
        "<uuid:pk>/history/",
        views.HistoryView.as_view(rows=all_returns),
        name="return_history",
    ),
]
