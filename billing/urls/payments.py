"""Payments."""

from django.urls import URLPattern, path

from billing import views
from billing.selectors.postings import all_payments
from billing.views.paper_runs import PaperRunView

urlpatterns: list[URLPattern] = [
    path("", views.PaymentListView.as_view(), name="payment_list"),
    path("totals/", views.PaymentListView.as_view(part="totals"), name="payment_totals"),
    path("export/", views.PaymentListView.as_view(part="export"), name="payment_export"),
    path("bulk/", views.PaymentBulkView.as_view(), name="payment_bulk"),
    path(
        "run/",
        PaperRunView.as_view(listing=views.PaymentListView, kind="receipt-papers"),
        name="payment_run",
    ),
    path("create/", views.PaymentCreateView.as_view(), name="payment_create"),
    path("<uuid:pk>/", views.PaymentDetailView.as_view(), name="payment_detail"),
    path("<uuid:pk>/apply/", views.PaymentApplyView.as_view(), name="payment_apply"),
    path("<uuid:pk>/void/", views.PaymentVoidView.as_view(), name="payment_void"),
    path(
        "<uuid:pk>/history/",
        views.HistoryView.as_view(rows=all_payments),
        name="payment_history",
    ),
]
