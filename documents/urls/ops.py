"""The addresses of the operators' page, at the root: it belongs to no company."""

from django.urls import path

from documents.views.ops import OpsView

app_name = "ops"

urlpatterns = [
    path("", OpsView.as_view(), name="page"),
    path("live/", OpsView.as_view(fragment=True), name="live"),
]
