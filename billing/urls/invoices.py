"""Invoices."""

from django.urls import URLPattern, path

from billing import views
from billing.selectors.lists import all_invoices
from billing.views.paper_runs import PaperRunView

urlpatterns: list[URLPattern] = [
    path("", views.InvoiceListView.as_view(), name="invoice_list"),
    path("totals/", views.InvoiceListView.as_view(part="totals"), name="invoice_totals"),
    path("export/", views.InvoiceListView.as_view(part="export"), name="invoice_export"),
    path("bulk/", views.InvoiceBulkView.as_view(), name="invoice_bulk"),
    path(
        "run/",
        PaperRunView.as_view(listing=views.InvoiceListView, kind="invoice-papers"),
        name="invoice_run",
    ),
    path("create/", views.InvoiceCreateView.as_view(), name="invoice_create"),
    path("compute/", views.InvoiceComputeView.as_view(), name="invoice_compute"),
    path("<uuid:pk>/", views.InvoiceDetailView.as_view(), name="invoice_detail"),
    path("<uuid:pk>/edit/", views.InvoiceUpdateView.as_view(), name="invoice_edit"),
    path("<uuid:pk>/compute/", views.InvoiceComputeForView.as_view(), name="invoice_compute_for"),
    path("<uuid:pk>/issue/", views.InvoiceIssueView.as_view(), name="invoice_issue"),
    path("<uuid:pk>/void/", views.InvoiceVoidView.as_view(), name="invoice_void"),
    path("<uuid:pk>/copy/", views.InvoiceCopyView.as_view(), name="invoice_copy"),
    path("<uuid:pk>/delete/", views.InvoiceDeleteView.as_view(), name="invoice_delete"),
    path(
        "<uuid:pk>/history/",
        views.HistoryView.as_view(rows=all_invoices),
        name="invoice_history",
    ),
    path(
        "<uuid:pk>/settlements/",
        views.InvoiceSettlementsView.as_view(),
        name="invoice_settlements",
    ),
]
