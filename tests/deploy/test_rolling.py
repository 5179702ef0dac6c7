"""A deploy in the middle of a run, while a client asks for papers: scaled down, migrated, each part
replaced by the next version's. Nothing is lost, and the client sees no error. The parts are those
of docker-compose.yml, the web twice behind the proxy."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.deploy.browser import Browser
from tests.deploy.runs import start_run
from tests.deploy.seed import EMAIL, PASSWORD
from tests.deploy.stack import Stack, stack
from tests.processes import eventually

pytestmark = [pytest.mark.slow, pytest.mark.servers]
PARTIES = 400
NEXT = {"DJANGO_SETTINGS_MODULE": "tests.deploy.upcoming.settings"}
# What a run needs goes first, while there is something of it left to do.
PARTS = ("worker-batch", "dispatcher", "web", "web.2", "worker-interactive", "beat")


class Client(threading.Thread):
    """Reads pages and asks for papers, one after the other, until it is told to end."""

    def __init__(self, browser: Browser, invoices: list[str]) -> None:
        super().__init__(daemon=True)
        self.browser = browser
        self.invoices = invoices
        self.asked = 0
        self.slowest = 0.0
        self.done = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._ask()
        except Exception as error:
            self.error = error

    def _ask(self) -> None:
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
        made.seed(PARTIES)
        for name in ("web", "web.2", "dispatcher", "beat", "worker-interactive", "worker-batch"):
            made.up(name)
        made.up("worker-batch.2")
        made.start_proxy("web.2")
        for running in made.running.values():
            running.wait_until_healthy()
        yield made


def replace(up: Stack, name: str) -> None:
    assert up.stop(name) == 0, f"{name} had to be killed"
    up.up(name, **NEXT).wait_until_healthy()


def migrate(up: Stack) -> None:
    """The schema of the next version, under the web of this one."""
    new = up.up("web.3", **NEXT)
    eventually(lambda: "migrations have not been applied" in new.tail() or new.is_healthy(), 60)
    assert not new.is_healthy()
    up.run(*up.services["migrate"]["command"], service="migrate", **NEXT)
    new.wait_until_healthy()
    assert up.stop("web.3") == 0
    assert up.running["web"].is_healthy()


def is_going_on(up: Stack) -> bool:
    return up.rows("SELECT state FROM documents_batch") != [("done",)]


def invoices(browser: Browser) -> list[str]:
    page = browser.get("/billing/invoices/").data.decode()
    return sorted(set(re.findall(r"/billing/invoices/([0-9a-f-]{36})/", page)))[:20]


def test_replacing_every_part_in_the_middle_of_a_run_loses_nothing(up):
    browser = up.browser()
    browser.sign_in(EMAIL, PASSWORD)
    client = Client(browser, invoices(browser))
    start_run(browser)
    client.start()
    ready = "SELECT 1 FROM documents_document WHERE state = 'ready' AND kind = 'statement'"
    eventually(lambda: bool(up.rows(ready)), 60)
    assert up.stop("worker-batch.2") == 0  # scaled down
    migrate(up)
    for name in PARTS:
        assert name not in PARTS[:3] or is_going_on(up), f"over before {name} was replaced"
        replace(up, name)
    up.up("worker-batch.2", **NEXT).wait_until_healthy()
    eventually(lambda: not is_going_on(up), 180)
    client.done.set()
    client.join(60)
    statuses = Counter(browser.statuses)
    print(statuses, client.asked, f"{client.slowest:.2f} s")
    assert client.error is None
    assert client.asked > 10
    assert not [status for status in statuses if status >= 400], statuses
    states = "SELECT DISTINCT state FROM documents_document WHERE kind = 'statement'"
    assert up.rows(states) == [("ready",)]
    # Whoever stopped ended what was in hand: nothing was begun twice.
    assert up.rows("SELECT max(attempts) FROM documents_document") == [(1,)]
