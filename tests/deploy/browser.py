"""A client that comes in over TLS by the proxy's name, keeps cookies and fills in forms."""

import json
import re
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import urllib3
from urllib3.response import BaseHTTPResponse

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Browser:
    def __init__(self, *, host: str, port: int, certificate: Path) -> None:
        self.host = host
        self.cookies: dict[str, str] = {}
        self.statuses: list[int] = []
        self._pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            port,
            server_hostname=host,
            assert_hostname=host,
            ca_certs=str(certificate),
            retries=False,
            timeout=60,
        )

    def get(self, path: str, **headers: str) -> BaseHTTPResponse:
        return self._ask("GET", path, headers)

    def post(self, path: str, fields: dict[str, str], *, form_at: str = "") -> BaseHTTPResponse:
        """With the token of the form on that page."""
        token = _TOKEN.search(self.get(form_at or path).data.decode())
        assert token, f"no form at {form_at or path}"
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers["Referer"] = f"https://{self.host}{form_at or path}"
        return self._ask("POST", path, headers, body)

    def sign_in(self, email: str, password: str) -> None:
        answer = self.post("/accounts/sign-in/", {"login": email, "password": password})
        assert answer.status == 302, answer.data.decode()[-3000:]

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> BaseHTTPResponse:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._pool.request(
            method,
            path,
            body=body,
            headers={"Host": self.host, "Cookie": cookies, **named},
            redirect=False,
        )
        for line in answer.headers.getlist("Set-Cookie"):
            parsed = SimpleCookie(line)
            self.cookies |= {name: morsel.value for name, morsel in parsed.items()}
        self.statuses.append(answer.status)
        return answer


def printed(answer: BaseHTTPResponse) -> str:
    """For a failure's message."""
    return json.dumps({"status": answer.status, "headers": dict(answer.headers)})
