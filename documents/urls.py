"""Documents, runs, and the fragments that their pages poll."""

from django.urls import path

from documents import views

app_name = "documents"

urlpatterns = [
    path("", views.DocumentListView.as_view(), name="list"),
    path("progress/", views.DocumentListView.as_view(fragment=True), name="list_progress"),
    path("runs/", views.BatchListView.as_view(), name="batches"),
    path("runs/progress/", views.BatchListView.as_view(fragment=True), name="batches_progress"),
    path("runs/<uuid:pk>/", views.BatchView.as_view(), name="batch"),
    path("runs/<uuid:pk>/progress/", views.BatchView.as_view(fragment=True), name="batch_progress"),
    path("<uuid:pk>/", views.DocumentView.as_view(), name="detail"),
    path("<uuid:pk>/progress/", views.DocumentView.as_view(fragment=True), name="progress"),
    path("<uuid:pk>/download/", views.DownloadView.as_view(), name="download"),
]
