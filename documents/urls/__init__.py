"""Every address of documents, a module a topic. Each module only lists its `urlpatterns`."""

from django.urls import include, path

app_name = "documents"

urlpatterns = [
    path("runs/", include("documents.urls.runs")),
    path("deliveries/", include("documents.urls.deliveries")),
    path("notifications/", include("documents.urls.notifications")),
    path("webhooks/", include("documents.urls.webhooks")),
    path("schedules/", include("documents.urls.schedules")),
    path("verify/", include("documents.urls.verify")),
    path("", include("documents.urls.documents")),
]
