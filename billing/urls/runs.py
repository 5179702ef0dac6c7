"""Runs of statements."""

from django.urls import path

from billing.views.statement_runs import CloseForRunView, DryRunView, StatementRunView

urlpatterns = [
    path("", StatementRunView.as_view(), name="statement_run"),
    path("dry-run/", DryRunView.as_view(), name="statement_dry_run"),
    path("close/", CloseForRunView.as_view(), name="statement_run_close"),
]
