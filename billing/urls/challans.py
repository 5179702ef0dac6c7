"""Delivery challans."""

from django.urls import URLPattern, path

from billing import views
from billing.selectors.postings import all_challans
from billing.views.paper_runs import PaperRunView

urlpatterns: list[URLPattern] = [
    path("", views.ChallanListView.as_view(), name="challan_list"),
    path("export/", views.ChallanListView.as_view(part="export"), name="challan_export"),
    path("bulk/", views.ChallanBulkView.as_view(), name="challan_bulk"),
    path(
        "run/",
        PaperRunView.as_view(listing=views.ChallanListView, kind="challan-papers"),
        name="challan_run",
    ),
    path("create/", views.ChallanCreateView.as_view(), name="challan_create"),
    path("<uuid:pk>/", views.ChallanDetailView.as_view(), name="challan_detail"),
    path("<uuid:pk>/edit/", views.ChallanUpdateView.as_view(), name="challan_edit"),
    path("<uuid:pk>/deliver/", views.ChallanDeliverView.as_view(), name="challan_deliver"),
    path("<uuid:pk>/cancel/", views.ChallanCancelView.as_view(), name="challan_cancel"),
    path(
        "<uuid:pk>/history/",
        views.HistoryView.as_view(rows=all_challans),
        name="challan_history",
    ),
]
