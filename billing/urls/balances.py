"""The dashboard, the balances and the settings (included at the root of /billing/)."""

from django.urls import path

from billing.views.balances import BalanceManageView
from billing.views.dashboard import DashboardView, DashboardWorkView
from billing.views.settings import BooksSettingsView, NumbersSettingsView, SellingSettingsView

urlpatterns = [
    path("", DashboardView.as_view(), name="dashboard"),
    path("work/", DashboardWorkView.as_view(), name="dashboard_work"),
    path("balances/", BalanceManageView.as_view(), name="balances"),
    path("balances/totals/", BalanceManageView.as_view(part="totals"), name="balances_totals"),
    path("balances/export/", BalanceManageView.as_view(part="export"), name="balances_export"),
    path("settings/selling/", SellingSettingsView.as_view(), name="settings_selling"),
    path("settings/numbers/", NumbersSettingsView.as_view(), name="settings_numbers"),
    path(
        "settings/numbers/examples/",
        NumbersSettingsView.as_view(part="examples"),
        name="settings_numbers_examples",
    ),
    path("settings/books/", BooksSettingsView.as_view(), name="settings_books"),
]
