"""Is this file what was issued?"""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
