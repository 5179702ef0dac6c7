"""Runs of many papers."""

from django.urls import path

from documents import views

urlpatterns = [
    path("", views.BatchListView.as_view(), name="batches"),
    path("progress/", views.BatchListView.as_view(fragment=True), name="batches_progress"),
    path("<uuid:pk>/", views.BatchView.as_view(), name="batch"),
    path("<uuid:pk>/progress/", views.BatchView.as_view(fragment=True), name="batch_progress"),
]
