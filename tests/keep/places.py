"""A second installation to restore into: a database of its own, and folders of its own."""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.core.management import call_command
from django.db import connection

from tests.billing.books import database_url
from tests.processes import ROOT


@dataclass(frozen=True)
class Place:
    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": self.url,
            "STORAGE_URL": "",
            "PRESSROOM_VAR_DIR": str(self.folder),
            "PRESSROOM_ARCHIVE_DIR": str(self.archive),
        }

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def manage(self, *arguments: str) -> tuple[int, str]:
        process = self.start("manage.py", *arguments)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def shell(self, code: str) -> str:
        done, said = self.manage("shell", "-v", "0", "-c", code)
        assert done == 0, said
        return said.strip()


@contextmanager
def migrated_place(folder: Path) -> Iterator[Place]:
    """One without rows, to copy others from: as the tests' database is between two tests, since
    migrating another one takes longer than all else.
    """
    folder.mkdir()
    if connection.vendor != "postgresql":
        path = folder / "second.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])
        yield Place(f"sqlite:///{path}", folder)
        return
    ours, name = connection.settings_dict["NAME"], f"second_{uuid4().hex[:12]}"
    connection.close()  # a database that somebody is connected to can't be copied
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [ours]
        )
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {ours}")
    try:
        yield Place(database_url().rpartition("/")[0] + f"/{name}", folder)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def second_place(folder: Path, like: Place | None = None) -> Iterator[Place]:
    """Empty, without a table; or a copy of another."""
    folder.mkdir()
    if connection.vendor != "postgresql":
        if like:
            shutil.copy(like.folder / "second.sqlite3", folder)
        yield Place(f"sqlite:///{folder / 'second.sqlite3'}", folder)
        return
    name = f"second_{uuid4().hex[:12]}"
    with connection.cursor() as cursor:
        template = f" TEMPLATE {like.url.rpartition('/')[2]}" if like else ""
        cursor.execute(f"CREATE DATABASE {name}{template}")
    try:
        yield Place(database_url().rpartition("/")[0] + f"/{name}", folder)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def made_backup(folder: Path, *options: str) -> Path:
    """The folder of the newest, after one more was made."""
    call_command("backup", str(folder), *options, verbosity=0)
    return max(path.parent for path in folder.glob("*/manifest.json"))


def tables_in(backup: Path) -> dict[str, list[bytes]]:
    """The rows of each table of a backup that is not sealed."""
    return {
        path.name: sorted(gzip.decompress(path.read_bytes()).splitlines())
        for path in backup.glob("*.gz")
        if path.name != "files.jsonl.gz"
    }
