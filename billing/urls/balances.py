"""The dashboard, the balances and the settings (included at the root of /billing/)."""

from django.urls import path

from billing.views.balances import BalanceManageView
from billing.views.dashboard import DashboardView, DashboardWorkView
from billing.views.recomputations import (
    RecomputationApplyView,
    RecomputationCancelView,
    RecomputationListView,
    RecomputationView,
    RecomputeView,
)
from billing.views.settings import BooksSettingsView, NumbersSettingsView, SellingSettingsView

urlpatterns = [
    path("", DashboardView.as_view(), name="dashboard"),
    path("work/", DashboardWorkView.as_view(), name="dashboard_work"),
    path("balances/", BalanceManageView.as_view(), name="balances"),
    path("balances/totals/", BalanceManageView.as_view(part="totals"), name="balances_totals"),
    path("balances/export/", BalanceManageView.as_view(part="export"), name="balances_export"),
    path("balances/recompute/", RecomputeView.as_view(), name="recompute"),
    path("balances/recomputations/", RecomputationListView.as_view(), name="recomputations"),
    path(
        "balances/recomputations/progress/",
        RecomputationListView.as_view(fragment=True),
        name="recomputations_progress",
    ),
    path("balances/recomputations/<uuid:pk>/", RecomputationView.as_view(), name="recomputation"),
    path(
        "balances/recomputations/<uuid:pk>/progress/",
        RecomputationView.as_view(fragment=True),
        name="recomputation_progress",
    ),
    path(
        "balances/recomputations/<uuid:pk>/apply/",
        RecomputationApplyView.as_view(),
        name="recomputation_apply",
    ),
    path(
        "balances/recomputations/<uuid:pk>/cancel/",
        RecomputationCancelView.as_view(),
        name="recomputation_cancel",
    ),
    path("settings/selling/", SellingSettingsView.as_view(), name="settings_selling"),
    path("settings/numbers/", NumbersSettingsView.as_view(), name="settings_numbers"),
    path(
        "settings/numbers/examples/",
        NumbersSettingsView.as_view(part="examples"),
        name="settings_numbers_examples",
    ),
    path("settings/books/", BooksSettingsView.as_view(), name="settings_books"),
]
