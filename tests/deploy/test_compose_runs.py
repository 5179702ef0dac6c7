"""The same processes, commands and environment as docker-compose.yml has them, without Docker: a
month's statements through the proxy, and every paper out again."""

import io
import json
import re
import zipfile
from collections.abc import Iterator

import pytest

from tests.deploy.browser import Browser, printed
from tests.deploy.runs import start_run, wait_for_zip
from tests.deploy.seed import EMAIL, PASSWORD
from tests.deploy.stack import Stack, stack

pytestmark = [pytest.mark.slow, pytest.mark.servers]
PARTIES = 40


@pytest.fixture(scope="module")
def up() -> Iterator[Stack]:
    with stack() as made:
        made.seed(PARTIES)
        for name in ("web", "dispatcher", "beat", "worker-interactive", "worker-batch"):
            made.up(name)
        made.up("worker-batch.2")  # --scale worker-batch=2
        made.start_proxy()
        for running in made.running.values():
            running.wait_until_healthy()
        yield made


@pytest.fixture(scope="module")
def browser(up: Stack) -> Browser:
    found = up.browser()
    found.sign_in(EMAIL, PASSWORD)
    return found


@pytest.fixture(scope="module")
def run(browser: Browser) -> str:
    """The address of a statement run that is done."""
    address = start_run(browser)
    wait_for_zip(browser, address)
    return address


def paper(browser: Browser) -> str:
    """The address of one PDF."""
    found = re.search(r"/documents/[0-9a-f-]{36}/", browser.get("/documents/").data.decode())
    assert found
    return f"{found[0]}download/"


def test_every_paper_of_the_run_comes_out_in_one_zip(browser, run):
    answer = browser.get(f"{run}papers.zip")
    assert answer.status == 200, printed(answer)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as found:
        assert found.testzip() is None
        assert len(found.namelist()) >= PARTIES - 5


def test_both_batch_workers_took_part(up, run):
    for name in ("worker-batch", "worker-batch.2"):
        lines = up.running[name].log.read_text().splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        assert any(it["event"] == "done" and it.get("work") == "document" for it in told), name


def test_a_pdf_comes_from_nginx_and_a_part_of_it_too(up, browser, run):
    address = paper(browser)
    whole = browser.get(address)
    assert whole.status == 200, printed(whole)
    assert whole.data.startswith(b"%PDF-")
    assert whole.headers["Content-Type"] == "application/pdf"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert whole.headers["Cache-Control"] == "private, no-cache"
    assert "attachment" in whole.headers["Content-Disposition"]
    assert "Strict-Transport-Security" in whole.headers
    assert "X-Accel-Redirect" not in whole.headers
    etag = whole.headers["ETag"]
    part = browser.get(address, range="bytes=5-9", if_range=etag)
    assert (part.status, part.data) == (206, whole.data[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(whole.data)}"
    other = browser.get(address, range="bytes=5-9", if_range='"another"')
    assert (other.status, other.data) == (200, whole.data)
    many = browser.get(address, range="bytes=0-1,3-4")
    assert (many.status, many.data) == (200, whole.data)
    behind = browser.get(address, range=f"bytes={len(whole.data)}-")
    assert behind.status == 416
    assert browser.get(address, if_none_match=etag).status == 304
    # The web's own answer was empty: nginx sent the bytes.
    log = (up.folder / "nginx.access.log").read_text()
    assert re.search(rf"^200 0 {len(whole.data)} /_archive/documents/.*{address}$", log, re.M), log


def test_nobody_gets_at_the_archive_by_its_own_address(up, browser, run):
    held = next((up.folder / "archive").rglob("*.pdf")).relative_to(up.folder / "archive")
    assert browser.get(f"/_archive/{held}").status == 404
    stranger = up.browser()
    assert stranger.get(paper(browser)).status == 302


def test_probes_and_metrics_are_for_those_inside(browser):
    assert browser.get("/live").status == 200
    assert browser.get("/ready").status == 403
    assert browser.get("/metrics").status == 403


def test_nobody_but_the_proxy_says_where_a_client_comes_from(up, browser):
    answer = browser.get("/live", x_forwarded_for="6.6.6.6", x_forwarded_proto="http")
    assert answer.status == 200  # not sent to https: the proxy's own word counted


def test_each_part_stops_when_told_within_its_grace(up, browser, run):
    for name in ("beat", "dispatcher", "worker-batch.2", "worker-interactive", "web"):
        assert up.stop(name) == 0, name
