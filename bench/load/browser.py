"""A person's browser: cookies, the token of each form, and how long every answer took.

It comes in as the proxy of a deployment would hand it on: over TLS, each person from an address of
their own, a connection a request. Nothing is tried twice: what went wrong is written down.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

TIMEOUT = 60.0  # seconds; who waits longer has given up
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


class Kind(StrEnum):
    """What an answer is to the person: only pages count towards the bound."""

    PAGE = "page"
    PART = "part"  # what a page loads and polls by itself
    FILE = "file"
    SIGN_IN = "sign-in"  # a second of a processor on purpose: the password's hash
    PAPER = "paper"  # not an answer: from asking for a PDF until its button is there


@dataclass(frozen=True)
class Sample:
    at: float  # when it was answered, seconds since 1970
    kind: Kind
    name: str
    milliseconds: float


@dataclass
class Record:
    """What all people of this process saw. Appending to a list is safe among threads."""

    samples: list[Sample] = field(default_factory=list)
    failures: list[dict[str, object]] = field(default_factory=list)

    def fail(self, name: str, what: str) -> None:
        self.failures.append({"at": time.time(), "name": name, "what": what})


class WentWrong(Exception):
    """An answer that nobody should get, or none at all. It is in the record already."""


class Browser:
    def __init__(self, *, host: str, port: int, address: str, record: Record) -> None:
        self.host = host
        self.address = address
        self.record = record
        self.cookies: dict[str, str] = {}
        self._pool = urllib3.HTTPConnectionPool(
            "127.0.0.1", port, retries=False, timeout=TIMEOUT, maxsize=1
        )

    def get(self, path: str, name: str, kind: Kind = Kind.PAGE, *, htmx: bool = False) -> str:
        headers = {"HX-Request": "true"} if htmx else {}
        return self._ask("GET", path, name, kind, headers, expected=(200,)).data.decode()

    def download(self, path: str, name: str) -> bytes:
        return bytes(self._ask("GET", path, name, Kind.FILE, {}, expected=(200,)).data)

    def submit(
        self, path: str, fields: Fields, name: str, *, page: str, kind: Kind = Kind.PAGE
    ) -> str:
        """A form of `page`, which must lead elsewhere: a form shown again was refused. Where to."""
        answer = self._post(path, fields, name, kind, page, {}, (302,))
        return urlsplit(answer.headers["Location"]).path

    def send(self, path: str, fields: Fields, name: str, *, page: str) -> str:
        """A form of `page` by htmx: the part that comes back."""
        answer = self._post(path, fields, name, Kind.PART, page, {"HX-Request": "true"}, (200,))
        return answer.data.decode()

    def _post(
        self,
        path: str,
        fields: Fields,
        name: str,
        kind: Kind,
        page: str,
        headers: dict[str, str],
        expected: tuple[int, ...],
    ) -> BaseHTTPResponse:
        token = _TOKEN.search(page)
        if token is None:
            raise self._wrong(name, "the page holds no form")
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        body = urlencode([("csrfmiddlewaretoken", unescape(token[1])), *pairs])
        more = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"https://{self.host}{path}",
            **headers,
        }
        return self._ask("POST", path, name, kind, more, expected=expected, body=body)

    def _ask(
        self,
        method: str,
        path: str,
        name: str,
        kind: Kind,
        headers: dict[str, str],
        *,
        expected: tuple[int, ...],
        body: str | None = None,
    ) -> BaseHTTPResponse:
        proxied = {
            "Host": self.host,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": self.address,
            "Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items()),
        }
        began = time.perf_counter()
        try:
            answer = self._pool.request(
                method, path, body=body, headers={**proxied, **headers}, redirect=False
            )
        except HTTPError as error:
            raise self._wrong(name, f"no answer: {type(error).__name__}") from error
        taken = 1000 * (time.perf_counter() - began)
        self.record.samples.append(Sample(time.time(), kind, name, taken))
        self._keep_cookies(answer)
        if answer.status not in expected:
            raise self._wrong(name, f"{answer.status} instead of {expected[0]}")
        return answer

    def _wrong(self, name: str, what: str) -> WentWrong:
        self.record.fail(name, what)
        return WentWrong(f"{name}: {what}")

    def _keep_cookies(self, answer: BaseHTTPResponse) -> None:
        for line in answer.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
