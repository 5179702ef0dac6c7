"""Making a backup: the tables at one moment, then the files that their rows name."""

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import Company
from documents.archive import Damaged, archive, in_chunks
from documents.backups.manifest import Manifest, Table, digest_of_file, write_manifest
from documents.backups.pool import Pool
from documents.backups.sealing import Seal, written
from documents.backups.tables import columns_of, kept_tables, one_moment, write_table
from documents.models import Document
from documents.services.moving import named_files
from worker.clock import database_now

PAPER, PICTURE = "paper", "picture"
_LIST = "files.jsonl.gz"


@dataclass(frozen=True)
class Made:
    folder: Path
    manifest: Manifest
    copied: int


def make_backup(*, folder: Path, seal: Seal, say: Callable[[str], None]) -> Made:
    """Raises OSError, and leaves no manifest, where it can't be finished."""
    moment = database_now()
    place = folder / f"{moment:%Y%m%dT%H%M%S%fZ}"
    place.mkdir(parents=True)
    manifest = Manifest(
        made_at=moment.isoformat(),
        vendor=connection.vendor,
        sealed=bool(seal.recipient),
        pool=seal.pool,
        migrations={},
        list_file=f"{_LIST}{seal.suffix}",
    )
    with tempfile.TemporaryFile() as spool:
        with one_moment():
            _write_tables(place, seal, manifest)
            pictures = _write_names(spool)
        say(f"{len(manifest.tables)} tables are written. Now the files.")
        spool.seek(0)
        copied = _copy_files(spool, pictures, place, Pool(folder, seal), manifest)
    manifest.list_sha256 = digest_of_file(place / manifest.list_file)
    write_manifest(place, manifest)
    return Made(place, manifest, copied)


def _write_tables(place: Path, seal: Seal, manifest: Manifest) -> None:
    manifest.migrations = applied_migrations()
    for name in kept_tables():
        columns, path = columns_of(name), place / f"{name}.gz{seal.suffix}"
        with _sealed_file(path, seal) as file:
            rows = write_table(name, columns, file)
        manifest.tables.append(Table(name, columns, rows, path.name, digest_of_file(path)))


def applied_migrations() -> dict[str, list[str]]:
    applied: dict[str, list[str]] = {}
    for app, name in MigrationRecorder(connection).applied_migrations():
        applied.setdefault(app, []).append(name)
    return {app: sorted(names) for app, names in sorted(applied.items())}


def _write_names(spool: BinaryIO) -> list[str]:
    """The papers' files into the spool, whose rows may be millions; the logos' names at once."""
    logo = "snapshot__company__logo"
    with_logo = Document.objects.across_companies().filter(**{f"{logo}__key__isnull": False})
    frozen = with_logo.order_by().values_list(f"{logo}__key", f"{logo}__sha256").distinct()
    for names in (named_files(), frozen.iterator()):
        for key, sha256 in names:
            spool.write(json.dumps([key, sha256]).encode() + b"\n")
    logos = Company.objects.exclude(logo="").order_by("pk")
    return list(logos.values_list("logo", flat=True))


def _copy_files(
    spool: BinaryIO, pictures: list[str], place: Path, pool: Pool, manifest: Manifest
) -> int:
    """How many the pool did not have. What can't be read is noted, and the rest goes on."""
    copied, store = 0, archive()
    with _sealed_file(place / manifest.list_file, pool.seal) as listed:
        for line in spool:
            key, sha256 = json.loads(line)
            try:
                if not pool.has(sha256):
                    size = pool.put(sha256, in_chunks(store.open_checked(key, sha256)))
                    manifest.file_bytes += size
                    copied += 1
            except Damaged as error:
                manifest.lacking.append(str(error))
            _list(listed, PAPER, key, sha256, manifest)
        for name in pictures:
            copied += _copy_picture(name, listed, pool, manifest)
    return copied


def _copy_picture(name: str, listed: BinaryIO, pool: Pool, manifest: Manifest) -> int:
    try:
        with default_storage.open(name) as file:
            content = file.read()
    except OSError as error:
        manifest.lacking.append(f"{name} can't be read: {error.strerror}")
        return 0
    sha256 = hashlib.sha256(content).hexdigest()
    is_new = not pool.has(sha256)
    if is_new:
        manifest.file_bytes += pool.put(sha256, [content])
    _list(listed, PICTURE, name, sha256, manifest)
    return int(is_new)


def _list(listed: BinaryIO, kind: str, name: str, sha256: str, manifest: Manifest) -> None:
    listed.write(json.dumps([kind, name, sha256]).encode() + b"\n")
    manifest.files += 1


@contextmanager
def _sealed_file(path: Path, seal: Seal) -> Iterator[BinaryIO]:
    """Packed, then sealed, and on the disk when the block ends."""
    with path.open("wb") as file:
        with written(file, seal) as target, gzip.GzipFile(fileobj=target, mode="wb") as packed:
            yield cast(BinaryIO, packed)
        file.flush()
        os.fsync(file.fileno())
