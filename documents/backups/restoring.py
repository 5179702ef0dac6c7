"""Restoring a backup into an empty database: all of it or nothing, and then looked at."""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from documents.archive import Damaged, archive, in_chunks, key_parts
from documents.backups.checking import checks
from documents.backups.making import PAPER, PICTURE, applied_migrations
from documents.backups.manifest import Manifest, NoBackup, digest_of_file
from documents.backups.pool import Pool
from documents.backups.resuming import resume_work
from documents.backups.sealing import Seal, unsealed
from documents.backups.tables import empty_all, filled_tables, read_table, reset_sequences

_IN_MEMORY = 8 * 1024 * 1024
_MOST_NAMED = 20
Say = Callable[[str], None]


class OnlyLoaded(Exception):
    """The rows are in, and what follows them failed; says why."""


@dataclass
class Restored:
    rows: int = 0
    files: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def restore_backup(
    *, backup: Path, manifest: Manifest, seal: Seal, replace: bool, say: Say
) -> Restored:
    """Raises NoBackup or CannotOpen before anything is changed, OnlyLoaded once the rows are in."""
    _require_whole(backup, manifest)
    is_filled = _require_fitting(manifest, replace=replace)
    pool, restored = Pool(backup.parent, seal), Restored()
    with _opened(backup / manifest.list_file, seal) as listed:
        if is_filled:
            _require_files(listed, pool, manifest)
            listed.seek(0)
        _restore_files(listed, pool, restored)
    say(f"{restored.files:,} files are there. Now the database.")
    _migrate_to(manifest)
    _load(backup, manifest, seal, restored)
    try:
        _follow(restored)
        _look_at_all(restored, say)
    except OSError as error:
        raise OnlyLoaded(str(error)) from error
    return restored


def _require_whole(backup: Path, manifest: Manifest) -> None:
    """Every part of the database, before anything is touched."""
    parts = [(table.file, table.sha256) for table in manifest.tables]
    for name, sha256 in [*parts, (manifest.list_file, manifest.list_sha256)]:
        if not (backup / name).exists():
            raise NoBackup(f"{name} of the backup is missing.")
        if digest_of_file(backup / name) != sha256:
            raise NoBackup(f"{name} of the backup is damaged.")


def _require_fitting(manifest: Manifest, *, replace: bool) -> bool:
    """Whether there are rows that go."""
    if manifest.vendor != connection.vendor:
        raise NoBackup(f"The backup is of {manifest.vendor}, this database is {connection.vendor}.")
    known = MigrationExecutor(connection).loader.disk_migrations
    unknown = [key for key in _recorded(manifest) if key not in known]
    if unknown:
        raise NoBackup(
            f"The backup is of a newer version: {'.'.join(unknown[0])} is not known here."
        )
    filled = filled_tables() if connection.introspection.table_names() else []
    if filled and not replace:
        raise NoBackup(f"The database is not empty: {', '.join(filled[:5])} ...")
    return bool(filled)


def _require_files(listed: BinaryIO, pool: Pool, manifest: Manifest) -> None:
    """Rows that may be whole don't go for rows whose files are nowhere. What was lost already when
    the backup was made is no reason: another one would not have it either.
    """
    known = {problem.partition(" ")[0] for problem in manifest.lacking}
    lost = [
        name
        for kind, name, sha256 in map(json.loads, listed)
        if name not in known and not pool.has(sha256) and not _is_here(kind, name, sha256)
    ]
    if lost:
        named = ", ".join(lost[:_MOST_NAMED]) + (" ..." if len(lost) > _MOST_NAMED else "")
        raise NoBackup(
            f"{len(lost):,} files are neither in the backup nor in the archive, and nothing was "
            f"changed: {named}. An empty database takes the rest."
        )


def _is_here(kind: str, name: str, sha256: str) -> bool:
    try:
        if kind == PAPER:
            archive().open_checked(name, sha256).close()
            return True
        with default_storage.open(name) as file:
            return hashlib.sha256(file.read()).hexdigest() == sha256
    except (Damaged, FileNotFoundError):
        return False


def _recorded(manifest: Manifest) -> list[tuple[str, str]]:
    return [(app, name) for app, names in manifest.migrations.items() for name in names]


def _migrate_to(manifest: Manifest) -> None:
    """To the state of the backup, whose rows fit no other.

    Rows that are here at another state, a restore's that was killed while it migrated among them,
    may go (`replace`): they go first, for no migration carries them back.
    """
    if applied_migrations() == manifest.migrations:
        return
    if filled_tables():
        with transaction.atomic():
            empty_all()
    executor = MigrationExecutor(connection)
    recorded, graph = set(_recorded(manifest)), executor.loader.graph
    targets: list[tuple[str, str | None]] = [
        key
        for key in recorded
        if key in graph.nodes
        and not any(
            child.key in recorded and child.key[0] == key[0]
            for child in graph.node_map[key].children
        )
    ]
    targets += [(app, None) for app in executor.loader.migrated_apps - set(manifest.migrations)]
    executor.migrate(sorted(targets, key=str))


def _restore_files(listed: BinaryIO, pool: Pool, restored: Restored) -> None:
    """Before the rows that name them. What the backup lacks is named, and the rest goes on."""
    for line in listed:
        kind, name, sha256 = json.loads(line)
        try:
            (_restore_paper if kind == PAPER else _restore_picture)(name, sha256, pool)
        except Damaged as error:
            restored.problems.append(f"{name}: {error}")
        else:
            restored.files += 1


def _restore_paper(key: str, sha256: str, pool: Pool) -> None:
    folder, _, suffix = key_parts(key)
    if not _is_here(PAPER, key, sha256):
        archive().store_chunks(in_chunks(pool.open_checked(sha256)), folder=folder, suffix=suffix)


def _restore_picture(name: str, sha256: str, pool: Pool) -> None:
    if _is_here(PICTURE, name, sha256):
        return
    with pool.open_checked(sha256) as file:
        content = file.read()
    if default_storage.exists(name):
        default_storage.delete(name)
    default_storage.save(name, ContentFile(content))


def _load(backup: Path, manifest: Manifest, seal: Seal, restored: Restored) -> None:
    """One transaction. Work waits again in it, unless the programs are newer than the backup."""
    with transaction.atomic():
        empty_all()
        for table in manifest.tables:
            with _opened(backup / table.file, seal) as file:
                rows = read_table(table.name, table.columns, file)
            if rows != table.rows:
                raise NoBackup(f"{table.name} has {rows} rows instead of {table.rows}.")
            restored.rows += rows
        reset_sequences(table.name for table in manifest.tables)
        if not _pending():
            restored.waiting = resume_work()


def _follow(restored: Restored) -> None:
    """Where the programs are newer than the backup, they migrate it now."""
    if _pending():
        call_command("migrate", verbosity=0)
        with transaction.atomic():
            restored.waiting = resume_work()


def _look_at_all(restored: Restored, say: Say) -> None:
    for name, check in checks().items():
        found = list(check())
        say(f"{name}: {'sound' if not found else f'{len(found):,} problems'}")
        restored.problems += [f"{name}: {problem}" for problem in found]


def _pending() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _opened(path: Path, seal: Seal) -> Iterator[BinaryIO]:
    """In the clear, unpacked. Raises CannotOpen."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        with path.open("rb") as source:
            unsealed(source, cast(BinaryIO, spool), seal)
        spool.seek(0)
        with gzip.GzipFile(fileobj=cast(BinaryIO, spool), mode="rb") as packed:
            yield cast(BinaryIO, packed)
