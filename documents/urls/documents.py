"""Single papers, and the fragments that their pages poll."""

from django.urls import path

from documents import views

urlpatterns = [
    path("", views.DocumentListView.as_view(), name="list"),
    path("progress/", views.DocumentListView.as_view(fragment=True), name="list_progress"),
    path("act/", views.DocumentBulkView.as_view(), name="bulk"),
    path("<uuid:pk>/", views.DocumentView.as_view(), name="detail"),
    path("<uuid:pk>/progress/", views.DocumentView.as_view(fragment=True), name="progress"),
    path("<uuid:pk>/changes/", views.ChangesView.as_view(), name="changes"),
    path("<uuid:pk>/download/", views.DownloadView.as_view(), name="download"),
]
