"""Runs of many papers."""

from django.urls import path

from documents import views
from documents.models import BatchJob
from documents.views import batch_actions as actions
from documents.views.batch_files import BatchFileView

_ZIP, _MERGE = BatchJob.Step.ZIP, BatchJob.Step.MERGE

urlpatterns = [
    path("", views.BatchListView.as_view(), name="batches"),
    path("progress/", views.BatchListView.as_view(fragment=True), name="batches_progress"),
    path("<uuid:pk>/", views.BatchView.as_view(), name="batch"),
    path("<uuid:pk>/progress/", views.BatchView.as_view(fragment=True), name="batch_progress"),
    path("<uuid:pk>/pause/", actions.PauseView.as_view(), name="batch_pause"),
    path("<uuid:pk>/resume/", actions.ResumeView.as_view(), name="batch_resume"),
    path("<uuid:pk>/cancel/", actions.CancelView.as_view(), name="batch_cancel"),
    path("<uuid:pk>/retry/", actions.RetryView.as_view(), name="batch_retry"),
    path("<uuid:pk>/send/", actions.SendView.as_view(), name="batch_send"),
    path("<uuid:pk>/papers.zip", BatchFileView.as_view(step=_ZIP), name="batch_zip"),
    path("<uuid:pk>/papers.pdf", BatchFileView.as_view(step=_MERGE), name="batch_merged"),
    path(
        "<uuid:pk>/papers.zip/make/", actions.PrepareView.as_view(step=_ZIP), name="batch_make_zip"
    ),
    path(
        "<uuid:pk>/papers.pdf/make/",
        actions.PrepareView.as_view(step=_MERGE),
        name="batch_make_merged",
    ),
    path(
        "<uuid:pk>/papers.zip/cancel/",
        actions.CancelFileView.as_view(step=_ZIP),
        name="batch_cancel_zip",
    ),
    path(
        "<uuid:pk>/papers.pdf/cancel/",
        actions.CancelFileView.as_view(step=_MERGE),
        name="batch_cancel_merged",
    ),
]
