"""What a user is told."""

from django.urls import path

from documents.views import notifications

urlpatterns = [
    path("", notifications.NotificationListView.as_view(), name="notifications"),
    path("bell/", notifications.BellView.as_view(), name="bell"),
    path("newest/", notifications.NewestView.as_view(), name="bell_newest"),
    path("read/", notifications.MarkAllReadView.as_view(), name="notifications_read"),
    path("choices/", notifications.ChoiceView.as_view(), name="notification_choices"),
    path("<uuid:pk>/open/", notifications.OpenView.as_view(), name="notification_open"),
]
