"""Every part is replaced while a run goes on and a client asks for papers: nothing is lost, and the
client sees no error. The parts are those of docker-compose.yml, the web twice behind the proxy."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.deploy.browser import Browser
from tests.deploy.seed import EMAIL, PASSWORD
from tests.deploy.stack import Stack, stack

pytestmark = [pytest.mark.slow, pytest.mark.servers]
DRY_RUN = "/billing/statements/dry-run/?month=2026-10"
PARTIES = 80
_COUNT = """
from django.db.models import Count, Max
from documents.models import Batch, Document
rows = Document._base_manager
print(dict(rows.values_list("state").annotate(Count("pk"))), Batch._base_manager.get().state,
      rows.aggregate(most=Max("attempts"))["most"])
"""


class Client(threading.Thread):
    """Reads pages and asks for papers, one after the other, until it is told to end."""

    def __init__(self, browser: Browser, invoices: list[str]) -> None:
        super().__init__(daemon=True)
        self.browser = browser
        self.invoices = invoices
        self.asked = 0
        self.slowest = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            invoice = self.invoices[self.asked % len(self.invoices)]
            began = time.monotonic()
            self.browser.get("/documents/")
            answer = self.browser.post(
                f"/billing/papers/invoice/{invoice}/", {}, form_at=f"/billing/invoices/{invoice}/"
            )
            assert answer.status < 500
            self.asked += 1
            self.slowest = max(self.slowest, time.monotonic() - began)


@pytest.fixture(scope="module")
def up() -> Iterator[Stack]:
    with stack() as made:
        made.run("manage", "shell", "-c", f"from tests.deploy.seed import seed; seed({PARTIES})")
        for name in ("web", "web.2", "dispatcher", "beat", "worker-interactive", "worker-batch"):
            made.up(name)
        made.up("worker-batch.2")
        made.start_proxy("web.2")
        for running in made.running.values():
            running.wait_until_healthy()
        yield made


def replace(up: Stack, name: str) -> None:
    assert up.stop(name) == 0, f"{name} had to be killed"
    up.up(name).wait_until_healthy()


def start_run(browser: Browser) -> str:
    token = re.search(r'name="token" value="([^"]+)"', browser.get(DRY_RUN).data.decode())
    assert token
    address: str = browser.post(DRY_RUN, {"token": token[1]}).headers["Location"]
    return address


def invoices(browser: Browser) -> list[str]:
    page = browser.get("/billing/invoices/").data.decode()
    return sorted(set(re.findall(r"/billing/invoices/([0-9a-f-]{36})/", page)))[:20]


def test_replacing_every_part_in_the_middle_of_a_run_loses_nothing(up):
    browser = up.browser()
    browser.sign_in(EMAIL, PASSWORD)
    client = Client(browser, invoices(browser))
    address = start_run(browser)
    client.start()
    assert up.stop("worker-batch.2") == 0  # scaled down in the middle
    up.run(*up.services["migrate"]["command"], service="migrate")  # a deploy's first step
    for name in ("web", "web.2", "dispatcher", "worker-interactive", "worker-batch", "beat"):
        replace(up, name)
    up.up("worker-batch.2").wait_until_healthy()
    deadline = time.monotonic() + 180
    watcher = up.browser()
    watcher.sign_in(EMAIL, PASSWORD)
    while "papers.zip" not in watcher.get(address).data.decode():
        assert time.monotonic() < deadline
        time.sleep(1)
    client.done.set()
    client.join(60)
    found = up.run("manage", "shell", "-c", _COUNT)
    statuses = Counter(browser.statuses)
    print(statuses, client.asked, client.slowest, found)
    assert client.asked > 10
    assert not [status for status in statuses if status >= 400], statuses
    assert "failed" not in found
    assert "cancelled" not in found
    assert re.search(r"done 1$", found.strip()), found  # nothing was begun twice
