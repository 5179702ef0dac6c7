"""Runs that start by themselves."""

from django.urls import path

from documents.views import schedules

urlpatterns = [
    path("", schedules.ScheduleListView.as_view(), name="schedules"),
    path("add/", schedules.ScheduleFormView.as_view(), name="schedule_add"),
    path("<uuid:pk>/", schedules.ScheduleFormView.as_view(), name="schedule"),
    path("<uuid:pk>/delete/", schedules.ScheduleDeleteView.as_view(), name="schedule_delete"),
]
