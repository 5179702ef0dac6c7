"""E-mails to parties, and how they go out."""

from django.urls import path

from documents.views.deliveries import DecideView, DeliveryListView, DeliveryView
from documents.views.mail_settings import (
    MailSettingsView,
    MailTemplateView,
    RestoreTemplateView,
    TestMailView,
)
from documents.views.sending import SendView

urlpatterns = [
    path("", DeliveryListView.as_view(), name="deliveries"),
    path(
        "progress/",
        DeliveryListView.as_view(fragment=True),
        name="deliveries_progress",
    ),
    path("decide/", DecideView.as_view(), name="deliveries_decide"),
    path("<uuid:pk>/", DeliveryView.as_view(), name="delivery"),
    path(
        "<uuid:pk>/progress/",
        DeliveryView.as_view(fragment=True),
        name="delivery_progress",
    ),
    path("send/<uuid:pk>/", SendView.as_view(), name="send"),
    path("settings/", MailSettingsView.as_view(), name="mail_settings"),
    path("settings/test/", TestMailView.as_view(), name="mail_test"),
    path("wording/<slug:kind>/", MailTemplateView.as_view(), name="mail_template"),
    path(
        "wording/<slug:kind>/restore/",
        RestoreTemplateView.as_view(),
        name="mail_template_restore",
    ),
]
