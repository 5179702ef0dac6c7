"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from documents.views.verify import PublicVerifyView
from worker import health, metrics

# The admin's own form would know neither the throttle nor the second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="billing:dashboard"), name="home"),
    path("live", health.live, name="live"),
    path("ready", health.ready, name="ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("ops/", include("documents.urls.ops")),
    path("accounts/", include("accounts.doors")),
    path("accounts/", include("accounts.urls")),
    path("billing/", include("billing.urls")),
    path("documents/", include("documents.urls")),
    path("v/<str:code>", PublicVerifyView.as_view(), name="verify_paper"),
    path("admin/", admin.site.urls),
]

handler429 = "accounts.limits.too_many_requests"

if apps.is_installed("debug_toolbar"):  # in development only, see the settings
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))
