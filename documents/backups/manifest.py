"""What a backup says of itself; and where its parts lie.

DIR/files/ab/abcd...             each file once, by its hash, for all backups in DIR
DIR/20261122T031500Z/            a backup: its tables, the list of its files, the manifest
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from documents.archive import publish

NAME = "manifest.json"
FORMAT = 1


class NoBackup(Exception):
    """There is none that can be used; says why."""


@dataclass
class Table:
    name: str
    columns: list[str]
    rows: int
    file: str
    sha256: str


@dataclass
class Manifest:
    made_at: str
    vendor: str
    sealed: bool
    pool: str
    # The names of the migrations that were applied, by app.
    migrations: dict[str, list[str]]
    tables: list[Table] = field(default_factory=list)
    list_file: str = ""
    list_sha256: str = ""
    files: int = 0
    file_bytes: int = 0
    # Files that a row names and that could not be read.
    lacking: list[str] = field(default_factory=list)
    format: int = FORMAT


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Whole or not at all."""
    draft = folder / f".{NAME}"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    publish(draft, folder / NAME)


def read_manifest(folder: Path) -> Manifest:
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise NoBackup(f"{folder} is of another format: {found['format']}.")
        tables = [Table(**each) for each in found.pop("tables")]
        return Manifest(**found, tables=tables)
    except FileNotFoundError as error:
        raise NoBackup(f"{folder} holds no manifest: that backup was never finished.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise NoBackup(f"The manifest of {folder} can't be read: {error}") from error


def newest(folder: Path) -> Path:
    """The last finished one below `folder`."""
    found = sorted(path.parent for path in folder.glob(f"*/{NAME}"))
    if found:
        return found[-1]
    inner = sorted({path.parent.parent for path in folder.glob(f"*/*/{NAME}")})
    hint = f" There are some in {', '.join(map(str, inner))}: name one of these." if inner else ""
    raise NoBackup(f"There is no finished backup in {folder}.{hint}")


def digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
