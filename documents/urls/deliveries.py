"""E-mails to parties."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
