"""Pages that take a file to look at it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View
from django.views.decorators.csrf import csrf_protect

from documents.uploads import HashingHandler, is_far_too_large, refusal


class UploadView(View):
    """Puts its upload handler in place before anything reads the request, as the check against
    cross-site requests does. A subclass is `csrf_exempt` therefore, and the check is made here.
    """

    handler: HashingHandler | None = None
    keeps_content = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            if is_far_too_large(request):
                return self.refuse(request, refusal())
            self.handler = HashingHandler(request, keep=self.keeps_content)
            request.upload_handlers = [self.handler]
        return csrf_protect(super().dispatch)(request, *args, **kwargs)

    def refuse(self, request: HttpRequest, reason: str) -> HttpResponse:
        """The answer to what is so large that it is not even read."""
        raise NotImplementedError
