"""Headers that every answer has, beside those of Django and django-csp, and the methods served."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

# Nothing here uses any of these, and no script that gets in shall.
_NOT_USED = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
# Passkeys are asked for by our own pages, and copied codes go to the clipboard.
_OURS_ONLY = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS_POLICY = ", ".join(
    [f"{name}=()" for name in _NOT_USED] + [f"{name}=(self)" for name in _OURS_ONLY]
)


# Forms and links know no other; a library's page may take any.
_METHODS = ("GET", "HEAD", "OPTIONS", "POST")


class HeadersMiddleware:
    """Stands before WhiteNoise: what is static has these headers too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_served = request.method in _METHODS
        response = self.get_response(request) if is_served else HttpResponseNotAllowed(_METHODS)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if _is_private(request):
            # Also for the Back button after signing out. Files say themselves how they are kept.
            response.setdefault("Cache-Control", "private, no-store")
        return response


def _is_private(request: HttpRequest) -> bool:
    """Once `CompanyMiddleware` was passed the user is loaded, so this asks nothing."""
    return hasattr(request, "membership") and request.user.is_authenticated
