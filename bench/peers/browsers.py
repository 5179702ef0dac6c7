"""Engines that print the page: WeasyPrint as it comes, wkhtmltopdf, and Chromium kept warm."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack, unpack

from bench.content import Content
from bench.peers import Missing, PrintIt
from bench.peers.page import page


@contextmanager
def weasyprint() -> Iterator[PrintIt]:
    """`HTML(string=...).write_pdf()` in a process of its own, which is warm."""
    outside = {name: value for name, value in os.environ.items() if name != "FONTCONFIG_FILE"}
    command = [sys.executable, str(Path(__file__).parent / "naive.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=outside
    ) as process:
        to, back = process.stdin, process.stdout
        assert to is not None
        assert back is not None

        def print_it(content: Content) -> bytes:
            sent = page(content).encode()
            to.write(pack(">Q", len(sent)) + sent)
            to.flush()
            return back.read(unpack(">Q", back.read(8))[0])

        yield print_it
        to.close()


@contextmanager
def wkhtmltopdf() -> Iterator[PrintIt]:
    """A process a document: it has no other way."""
    program = shutil.which("wkhtmltopdf")
    if program is None:
        raise Missing("wkhtmltopdf is not installed")
    command = [program, "--quiet", "--page-size", "A4", "-", "-"]

    def print_it(content: Content) -> bytes:
        return subprocess.run(
            command, input=page(content).encode(), capture_output=True, check=True
        ).stdout

    yield print_it


@contextmanager
def chromium() -> Iterator[PrintIt]:
    """One browser for all, a fresh context a document: what Gotenberg does."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Missing("playwright is not installed") from None
    if program is None:
        raise Missing("chromium is not installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )

        def print_it(content: Content) -> bytes:
            context = browser.new_context()
            tab = context.new_page()
            tab.set_content(page(content), wait_until="load")
            made = tab.pdf(format="A4", print_background=True)
            context.close()
            return made

        yield print_it
        browser.close()
