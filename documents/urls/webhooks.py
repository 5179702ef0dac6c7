"""A company's own systems."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
