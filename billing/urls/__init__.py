"""Every address of billing, a module an aggregate. Each module only lists its `urlpatterns`."""

from django.urls import include, path

from billing import views

app_name = "billing"

urlpatterns = [
    path("", include("billing.urls.balances")),
    path("invoices/", include("billing.urls.invoices")),
    path("payments/", include("billing.urls.payments")),
    path("returns/", include("billing.urls.returns")),
    path("challans/", include("billing.urls.challans")),
    path("parties/options/", views.PartyOptionsView.as_view(), name="party_options"),
    path("parties/", include("billing.urls.parties")),
    path("papers/", include("billing.urls.papers")),
    path("statements/", include("billing.urls.runs")),
]
