"""Runs that start by themselves."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
