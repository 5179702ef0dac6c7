"""Nothing but the volumes is written to: all roles on a root that can only be read, as a user
without rights, make a month's statements."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.deploy.contained import USER, Contained
from tests.deploy.runs import start_run, wait_for_zip
from tests.deploy.seed import EMAIL, PASSWORD
from tests.deploy.stack import Stack, stack

pytestmark = [pytest.mark.slow, pytest.mark.servers]
PARTIES = 12


@pytest.fixture(scope="module")
def up() -> Iterator[Stack]:
    with stack(Contained) as made:
        made.seed(PARTIES)
        for name in ("web", "dispatcher", "beat", "worker-interactive", "worker-batch"):
            made.up(name)
        made.start_proxy()
        for running in made.running.values():
            running.wait_until_healthy()
        yield made


def attempt(up: Stack, command: str) -> subprocess.CompletedProcess[str]:
    words = up.inside(["sh", "-c", command])
    return subprocess.run(words, env=up.environment("web"), capture_output=True, text=True)


def test_the_root_is_not_to_be_written_to_and_the_volumes_are(up):
    for place in ("/x", "/app/x", "/app/var/x", "/etc/x", "/usr/x", "/run/x"):
        assert "Read-only file system" in attempt(up, f"touch {place}").stderr, place
    for place in ("/data/archive/x", "/app/var/media/x", "/app/var/mail/x", "/data/backups/x"):
        assert attempt(up, f"touch {place} && rm {place}").returncode == 0, place
    assert attempt(up, "id -u").stdout.strip() == str(USER)
    assert re.search(r"CapBnd:\s0+\n", attempt(up, "cat /proc/self/status").stdout)


def test_every_role_does_its_work_there(up):
    browser = up.browser()
    browser.sign_in(EMAIL, PASSWORD)
    address = start_run(browser)
    wait_for_zip(browser, address)
    assert browser.get(f"{address}papers.zip").status == 200
    papers = list((up.folder / "volumes/data/archive").rglob("*.pdf"))
    assert len(papers) >= PARTIES - 5
    assert {paper.stat().st_uid for paper in papers} == {USER}


def test_a_backup_goes_to_its_volume(up):
    up.run("manage", "backup", "/data/backups/today")
    assert any((up.folder / "volumes/data/backups/today").iterdir())


def test_no_role_complained_of_what_it_could_not_write(up):
    for name, running in up.running.items():
        log = running.log.read_text(errors="replace")
        assert "Read-only file system" not in log, name
        assert "Permission denied" not in log, name
        assert running.process.poll() is None, name
