"""Parties."""

from django.urls import URLPattern, path

from billing import views
from billing.selectors.postings import all_parties

urlpatterns: list[URLPattern] = [
    path("", views.PartyListView.as_view(), name="party_list"),
    path("totals/", views.PartyListView.as_view(part="totals"), name="party_totals"),
    path("export/", views.PartyListView.as_view(part="export"), name="party_export"),
    path("create/", views.PartyCreateView.as_view(), name="party_create"),
    path("<uuid:pk>/", views.PartyDetailView.as_view(), name="party_detail"),
    path("<uuid:pk>/edit/", views.PartyUpdateView.as_view(), name="party_edit"),
    path("<uuid:pk>/credit/", views.PartyCreditView.as_view(), name="party_credit"),
    path("<uuid:pk>/papers/", views.PartyPapersView.as_view(), name="party_papers"),
    path("<uuid:pk>/deactivate/", views.PartyDeactivateView.as_view(), name="party_deactivate"),
    path("<uuid:pk>/activate/", views.PartyActivateView.as_view(), name="party_activate"),
    path(
        "<uuid:pk>/history/",
        views.HistoryView.as_view(rows=all_parties),
        name="party_history",
    ),
]
