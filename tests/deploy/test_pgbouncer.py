"""A month's statements through PgBouncer in transaction pooling, by deploy/pgbouncer/pgbouncer.ini:
more processes than connections, and nobody misses one."""

import os
import pwd
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.deploy.compose import ROOT
from tests.deploy.runs import start_run, wait_for_zip
from tests.deploy.seed import EMAIL, PASSWORD
from tests.deploy.stack import Running, Stack, free_port, stack
from tests.processes import eventually

pytestmark = [pytest.mark.slow, pytest.mark.servers]
PARTIES = 30
POOL = 4
PARTS = ("web", "dispatcher", "beat", "worker-interactive", "worker-batch", "worker-batch.2")
# Another transaction comes between two pieces that are read.
_READS_IN_PIECES = """
from django.db import connections
from billing.models import Party
pieces = Party._base_manager.order_by("pk").iterator(chunk_size=2)
found = [next(pieces)]
other = connections.create_connection("default")
other.set_autocommit(False)
other.cursor().execute("SELECT 1")
found += pieces
print(len(found))
"""


class Pooled(Stack):
    def start_pooler(self) -> Running:
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        if program is None:
            pytest.skip("pgbouncer is not installed: `apt-get install pgbouncer`")
        direct, port = urlsplit(self._secret("database_url")), free_port()
        folder = self.folder / "pooler"
        folder.mkdir()
        users = folder / "userlist.txt"
        users.write_text(f'"{direct.username}" "{direct.password}"\n')
        config = folder / "pgbouncer.ini"
        config.write_text(_filled(f"127.0.0.1 port={direct.port}", port, users))
        self._point("database_url", f":{direct.port}/", f":{port}/")
        argv = [program, str(config)]
        if os.geteuid() == 0:  # which it refuses to run as
            nobody = str(pwd.getpwnam("nobody").pw_uid)
            argv = ["setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups", *argv]
        env = {"PATH": "/usr/sbin:/usr/bin:/bin"}
        started = self.running["pooler"] = Running("pooler", argv, env, folder / "log", ["true"])
        return started

    def pooler_says(self, words: str) -> list[dict[str, object]]:
        url = self._secret("database_url").rpartition("/")[0] + "/pgbouncer"
        connection = psycopg2.connect(url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(words)
            names = [column.name for column in cursor.description]
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        connection.close()
        return found


def _filled(host: str, port: int, users: Path) -> str:
    """The file as it is, but for the addresses and a pool that is small enough to be felt."""
    text = (ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini").read_text()
    for there, here in {
        "host=postgres port=5432": f"host={host}",
        "listen_addr = *": "listen_addr = 127.0.0.1",
        "listen_port = 6432": f"listen_port = {port}",
        "/etc/pgbouncer/userlist.txt": str(users),
        "default_pool_size = 16": f"default_pool_size = {POOL}",
    }.items():
        assert there in text
        text = text.replace(there, here)
    return text


@pytest.fixture(scope="module")
def up() -> Iterator[Pooled]:
    with stack(Pooled) as made:
        made.seed(PARTIES)
        made.start_pooler()
        for name in PARTS:
            made.up(name, PRESSROOM_DB_POOLED="true")
        made.start_proxy()
        for running in made.running.values():
            running.wait_until_healthy()
        yield made


@pytest.fixture(scope="module")
def clients(up) -> int:
    """A run from beginning to end; how many clients the pooler had in the middle of it."""
    browser = up.browser()
    browser.sign_in(EMAIL, PASSWORD)
    address = start_run(browser)
    eventually(lambda: bool(up.rows("SELECT 1 FROM documents_document WHERE state = 'ready'")), 60)
    clients = len(up.pooler_says("SHOW CLIENTS"))
    wait_for_zip(browser, address)
    assert browser.get("/billing/balances/export/").status == 200
    assert browser.get(f"{address}papers.zip").status == 200
    assert not [status for status in browser.statuses if status >= 400]
    return clients


def test_a_run_is_made_over_fewer_connections_than_there_are_processes(up, clients):
    servers = [row for row in up.pooler_says("SHOW SERVERS") if row["database"] == "pressroom"]
    assert 1 <= len(servers) <= POOL < clients
    [pool] = [row for row in up.pooler_says("SHOW POOLS") if row["database"] == "pressroom"]
    assert pool["pool_mode"] == "transaction"


def test_nothing_was_tried_twice_and_nobody_complained(up, clients):
    for name in PARTS:
        log = up.running[name].log.read_text(errors="replace")
        assert not re.search(r"InvalidCursorName|does not exist|DatabaseError|Traceback", log), name
    assert up.rows("SELECT max(attempts) FROM documents_document") == [(1,)]


def test_rows_that_are_read_in_pieces_need_the_setting(up):
    """Else a piece is asked of another connection than the one that has the cursor."""
    words = ("manage", "shell", "-c", _READS_IN_PIECES)
    assert str(PARTIES) in up.run(*words, PRESSROOM_DB_POOLED="true")
    with pytest.raises(AssertionError, match="InvalidCursorName"):
        up.run(*words, PRESSROOM_DB_POOLED="false")
