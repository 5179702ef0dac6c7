"""A real browser on a real server. `CHROMIUM` names another browser than the one on the path."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.models import Company, Membership, Role
from tests.factories import PASSWORD, CompanyFactory, UserFactory, member


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
def page(browser: Browser, live_server, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


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
