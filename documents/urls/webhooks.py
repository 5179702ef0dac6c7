"""A company's own systems."""

from django.urls import path

from documents.views import webhooks

urlpatterns = [
    path("", webhooks.EndpointListView.as_view(), name="webhooks"),
    path("add/", webhooks.EndpointAddView.as_view(), name="webhook_add"),
    path("<uuid:pk>/", webhooks.EndpointView.as_view(), name="webhook"),
    path(
        "<uuid:pk>/progress/",
        webhooks.EndpointView.as_view(fragment=True),
        name="webhook_progress",
    ),
    path("<uuid:pk>/change/", webhooks.EndpointChangeView.as_view(), name="webhook_change"),
    path("<uuid:pk>/on/", webhooks.EndpointOnView.as_view(), name="webhook_on"),
    path("<uuid:pk>/off/", webhooks.EndpointOffView.as_view(), name="webhook_off"),
    path("<uuid:pk>/delete/", webhooks.EndpointDeleteView.as_view(), name="webhook_delete"),
    path("<uuid:pk>/test/", webhooks.EndpointTestView.as_view(), name="webhook_test"),
    path("<uuid:pk>/secret/", webhooks.RotateSecretView.as_view(), name="webhook_secret"),
    path("deliveries/<uuid:pk>/", webhooks.DeliveryView.as_view(), name="webhook_delivery"),
    path(
        "deliveries/<uuid:pk>/progress/",
        webhooks.DeliveryView.as_view(fragment=True),
        name="webhook_delivery_progress",
    ),
    path("deliveries/<uuid:pk>/replay/", webhooks.ReplayView.as_view(), name="webhook_replay"),
]
