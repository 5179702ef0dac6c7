"""What a user is told."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
