"""A person at the web, who presses again when the answer did not come."""

import time
from typing import cast

import urllib3
from urllib3.exceptions import HTTPError

from chaos.seeding import EMAIL, PASSWORD
from tests.deploy.browser import Browser

_BROKEN_OFF = (HTTPError, OSError, AssertionError)


class Person(Browser):
    """`broken_off`: requests without an answer, or without the page that was asked for."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.cookies = {}
        self.statuses = []
        self.broken_off = 0
        self._is_in = False
        pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=20)
        self._pool = cast(urllib3.HTTPSConnectionPool, pool)  # the same, without TLS

    def press(self, path: str, *, form_at: str) -> bool:
        """Whether the server said that it is done."""
        try:
            if not self._is_in:
                self.cookies.clear()  # who is signed in still is shown no form to sign in
                self.sign_in(EMAIL, PASSWORD)
                self._is_in = True
            answer = self.post(path, {}, form_at=form_at)
        except _BROKEN_OFF:
            self.broken_off += 1
            time.sleep(0.3)
            return False
        is_done = answer.status in (200, 204, 302, 303) and "sign-in" not in answer.headers.get(
            "Location", ""
        )
        if not is_done:
            self._is_in = False
            time.sleep(0.3)
        return is_done
