"""What the people of an office do in a browser, and what happens behind their backs."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from accounts.models import Company
from documents.archive import archive
from tests.factories import PASSWORD
from tests.processes import Running

PHONE = {"width": 400, "height": 800}


def sign_in(page: Page) -> None:
    page.fill("[name=login]", "maya@thornbury.example")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")


def type_party(page: Page) -> None:
    expect(page.locator(".ts-control")).to_be_visible()  # until then it is a plain select
    page.get_by_role("combobox", name="Party").focus()
    page.keyboard.type("quay", delay=20)
    page.keyboard.press("Enter")
    expect(page.locator(".ts-control .item")).to_contain_text("Quayside Provisions")


def type_line(page: Page, row: int, description: str, quantity: str, price: str) -> None:
    """From the line's first field on, by Tab."""
    expect(page.locator(f"#id_items-{row}-sku")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(description)
    page.keyboard.press("Tab")
    page.keyboard.type(quantity)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(price)


def press(button: Locator) -> None:
    """By keyboard."""
    button.focus()
    button.press("Enter")


def assert_fits_a_phone(page: Page) -> None:
    """Nothing on the page as it is now scrolls sideways.

    Whoever came by a link waits for the new page first: which is meant can't be told from here.
    """
    page.wait_for_load_state()
    before = page.viewport_size
    page.set_viewport_size(PHONE)
    root = "document.documentElement"
    wider = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
    page.set_viewport_size(before)
    assert wider <= 0, page.url


def downloaded(page: Page, link: Locator, to: Path) -> Path:
    with page.expect_download() as waiting:
        link.click()
    waiting.value.save_as(to)
    return to


def text_of(pdf: Path) -> str:
    """Words as they stand on the paper, with single blanks between them."""
    done = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


@contextmanager
def frozen(running: Running) -> Iterator[None]:
    """The process and its children stand still, wherever they are."""
    os.killpg(running.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(running.process.pid, signal.SIGCONT)


@contextmanager
def archive_away(company: Company) -> Iterator[None]:
    """Where the company's papers lie there is no folder meanwhile, and none can be made."""
    folder = archive().root / "documents" / str(company.pk)
    aside = folder.with_name("aside")
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(aside)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)
