"""A record's paper: its state with the button that asks for it, and its preview."""

from django.urls import path

from billing.views.papers import PaperView, PreviewView

urlpatterns = [
    path("<slug:kind>/<uuid:pk>/", PaperView.as_view(), name="paper"),
    path("<slug:kind>/<uuid:pk>/preview/", PreviewView.as_view(), name="paper_preview"),
]
