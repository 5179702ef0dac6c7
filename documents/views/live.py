"""Pages with parts that follow what the workers do, by asking again until nothing moves.

A page and the fragments that it polls are one view, so they can't drift apart. The browser sends
the digest of what it shows: while that is still right it gets no parts, only a longer wait.
"""

import hashlib
import re
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views import View
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import CompanyRequest, MemberMixin
from worker.listening import queues_without_listener

# Milliseconds until the next look: a paper that is quickly made is there after the first or second.
WAITS = (250, 300, 400, 600, 1000, 2000, 3000, 5000)
_TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*')
_POLLING = ("wait", "seen")
_ON_EVERY_PAGE = {"unheard": "documents/parts/unheard.html"}


class LiveView(MemberMixin, View):
    """`parts` maps an element's id to its template; `live_name` is the address of the fragments.

    A subclass gives `read()`: the context, in which `is_final` says that nothing will move.
    """

    http_method_names = ["get", "head", "options"]
    template_name: ClassVar[str]
    parts: ClassVar[dict[str, str]]
    live_name: ClassVar[str]
    section: ClassVar[str]
    fragment = False
    # After a change. A run changes with each paper, and need not be asked for at each.
    wait_after_change: ClassVar[int] = 2000

    def read(self, request: CompanyRequest, **kwargs: Any) -> dict[str, Any]:
        raise NotImplementedError

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        context = self.read(request, **kwargs)
        context |= {"company": request.company, "section": self.section}
        context["unheard"] = {} if context["is_final"] else queues_without_listener()
        parts = {
            part: SafeString(render_to_string(template, context, request=request))
            for part, template in {**self.parts, **_ON_EVERY_PAGE}.items()
        }
        seen = _digest(parts)
        changed = seen != request.GET.get("seen")
        context |= {
            "parts": parts,
            "changed": changed,
            "part_ids": ",".join(f"#{part}" for part in parts),
        }
        if not context["is_final"]:
            wait = self._next_wait(changed) if self.fragment else WAITS[0]
            context |= {"wait": wait, "poll_url": self._poll_url(request, kwargs, wait, seen)}
        template = "documents/parts/fragment.html" if self.fragment else self.template_name
        return render(request, template, context)

    def _poll_url(
        self, request: CompanyRequest, kwargs: dict[str, Any], wait: int, seen: str
    ) -> str:
        kept = [(key, value) for key, value in request.GET.items() if key not in _POLLING]
        query = urlencode([*kept, ("wait", wait), ("seen", seen)])
        return f"{reverse(self.live_name, kwargs=kwargs)}?{query}"

    def _next_wait(self, changed: bool) -> int:
        asked = self.request.GET.get("wait", "")
        before = int(asked) if asked in map(str, WAITS) else 0
        if changed:
            return self.wait_after_change
        return next((wait for wait in WAITS if wait > before), WAITS[-1])

    def handle_no_permission(self) -> HttpResponseBase:  # type: ignore[override]
        """A fragment must not show the sign-in form inside a page: it has the page reloaded."""
        return HttpResponseClientRefresh() if self.fragment else super().handle_no_permission()


def _digest(parts: dict[str, SafeString]) -> str:
    """Of what a reader sees: the token in a form is another each time."""
    text = _TOKEN.sub(r"\1", "\0".join(parts.values()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
