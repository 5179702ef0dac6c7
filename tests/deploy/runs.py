"""A month's statements, by the pages that a person would use."""

import re
import time

from tests.deploy.browser import Browser

_DRY_RUN = "/billing/statements/dry-run/?month=2026-10"


def start_run(browser: Browser) -> str:
    """The address of the run."""
    page = browser.get(_DRY_RUN).data.decode()
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token, page
    started = browser.post(_DRY_RUN, {"token": token[1]})
    assert started.status == 302, started.data.decode()[:3000]
    return str(started.headers["Location"])


def wait_for_zip(browser: Browser, address: str, seconds: float = 180) -> None:
    """Until the page of the run has a link to all its papers, the covering list among them."""
    deadline = time.monotonic() + seconds
    while f'"{address}papers.zip"' not in (page := browser.get(address).data.decode()):
        assert time.monotonic() < deadline, page
        time.sleep(0.5)
