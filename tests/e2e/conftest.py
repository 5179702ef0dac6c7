"""A real browser on a real server. `CHROMIUM` names another browser than the one on the path."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from accounts.models import Company, Membership, Role
from tests.factories import PASSWORD, CompanyFactory, UserFactory, member
from tests.processes import Running, dispatcher, eventually, private_broker, worker

# Nobody dies here: a slow machine must not look as if somebody did.
_PATIENT = {"PRESSROOM_LEASE_SECONDS": "30", "PRESSROOM_TASK_TIME_LIMIT": "60"}


@pytest.fixture(scope="package")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """Only while these tests run: Playwright keeps an event loop in this thread meanwhile, which
    Django would take for asynchronous code that must not use the database.
    """
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium: install one, or run `playwright install chromium`")
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def archive_of_this_test(settings, tmp_path: Path) -> None:
    settings.ARCHIVE_DIR = tmp_path / "archive"


@pytest.fixture
def owner(browser: Browser, transactional_db: None) -> Membership:
    company = CompanyFactory.create(legal_name="Thornbury Paper Ltd")
    user = UserFactory.create(email="maya@thornbury.example", name="Maya Okonkwo")
    return member(Role.OWNER, company=company, user=user)


@pytest.fixture
def company(owner: Membership) -> Company:
    return owner.company


@pytest.fixture
def complaints() -> list[str]:
    """What the browser said on its console: violations of the policy, errors in scripts."""
    return []


@pytest.fixture
def nothing_under_way(transactional_db: None, live_server) -> Iterator[None]:
    """Tables are emptied when the last request is answered: a bell may still be asking."""
    yield
    if connection.vendor == "postgresql":
        eventually(_is_quiet, 10)


def _is_quiet() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
        )
        return bool(cursor.fetchone()[0] == 0)


# What htmx also says of a request that was under way when its page was left. One that failed is
# named by another event besides.
_LEFT = ("htmx:afterRequest", "htmx:sendAbort")


def _is_complaint(message: ConsoleMessage) -> bool:
    return message.type == "error" and not message.text.startswith(_LEFT)


@pytest.fixture
def nobody_signed_in_yet(transactional_db: None) -> None:
    """Attempts are counted in a table that is no model's: emptying the tables leaves it as it is,
    and all tests of a quick minute would sign in from one address.
    """
    cache.clear()


@pytest.fixture
def another_browser(
    browser: Browser,
    live_server,
    nothing_under_way: None,
    nobody_signed_in_yet: None,
    complaints: list[str],
) -> Iterator[Callable[[], Page]]:
    """`another_browser()`: a page that shares nothing with those before it, cookies included."""
    with ExitStack() as stack:

        def start() -> Page:
            size: ViewportSize = {"width": 1280, "height": 800}
            context = browser.new_context(base_url=live_server.url, viewport=size)
            stack.callback(context.close)
            context.set_default_timeout(10_000)
            context.on("console", lambda it: _is_complaint(it) and complaints.append(it.text))
            context.on("weberror", lambda it: complaints.append(str(it.error)))
            return context.new_page()

        yield start


@pytest.fixture
def page(another_browser: Callable[[], Page]) -> Page:
    return another_browser()


@pytest.fixture
def signed_in(page: Page, owner: Membership) -> Page:
    """Signed in by keyboard alone: the first field has the focus."""
    page.goto("/documents/")
    page.keyboard.type(owner.user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_title("Documents · Pressroom")
    return page


@pytest.fixture
def at_work(
    request: pytest.FixtureRequest,
    transactional_db: None,
    live_server,
    settings,
    broker_at,
    archive_of_this_test: None,
    tmp_path: Path,
) -> Iterator[Running]:
    """A worker with its dispatcher, to whose broker the server publishes: the worker.

    They start while a test begins. Indirect parameters are added to their environment.
    """
    settings.SITE_URL = live_server.url
    expect.set_options(timeout=20_000)  # two cores may be busy with the worker's start
    here = {
        **_PATIENT,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PRESSROOM_SITE_URL": live_server.url,
        **getattr(request, "param", {}),
    }
    with private_broker() as broker:
        broker_at(broker.url)
        here["CELERY_BROKER_URL"] = broker.url
        queues = "interactive,batch,mail"
        with (
            worker(tmp_path / "worker.log", queues=queues, children=1, **here) as running,
            dispatcher(tmp_path / "dispatcher.log", **here),
        ):
            yield running
    expect.set_options(timeout=5_000)
