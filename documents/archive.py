"""The archive: files that are written once and read back under their hash.

A file's name is its content's SHA-256, so writing the same content twice is harmless, also when
two workers do it at once, and a half-written file never has a final name: temp file, fsync,
rename, fsync of the directory.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

_CHUNK = 256 * 1024


class Damaged(Exception):
    """The archive does not hold what was stored: the file is missing or has changed."""


@dataclass(frozen=True)
class Stored:
    """Where a file lies (`key`, relative to the archive), its SHA-256 and its size in bytes."""

    key: str
    sha256: str
    size: int


class LocalArchive:
    def __init__(self, root: Path) -> None:
        self.root = root

    def store(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        """Write `content` below `folder`, or find it there already. Raises OSError."""
        stored = self.place(content, folder=folder, suffix=suffix)
        if not self._holds(stored.key, stored.sha256):
            self._write(stored.key, content)
        return stored

    def place(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        """Where `content` lies, or would lie; nothing is written."""
        digest = hashlib.sha256(content).hexdigest()
        key = f"{folder}/{digest[:2]}/{digest}{suffix}"
        return Stored(key=key, sha256=digest, size=len(content))

    def read(self, key: str, sha256: str) -> bytes:
        """The whole content, checked. Raises Damaged."""
        with self.open_checked(key, sha256) as file:
            return file.read()

    def open_checked(self, key: str, sha256: str) -> BinaryIO:
        """The file, open at its start, after its hash was checked. Raises Damaged."""
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError as error:
            raise Damaged(f"{key} is missing") from error
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            file.close()
            raise Damaged(f"{key} has changed")
        file.seek(0)
        return file

    def is_writable(self) -> bool:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                return True
        except OSError:
            return False

    def _holds(self, key: str, digest: str) -> bool:
        try:
            self.open_checked(key, digest).close()
        except Damaged:
            return False
        return True

    def _write(self, key: str, content: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            publish(Path(draft), path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise

    def _path(self, key: str) -> Path:
        path = (self.root / key).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise Damaged(f"{key} points out of the archive")
        return path


def publish(draft: Path, path: Path) -> None:
    """Give a complete file its final name, durably: all of it is seen, or none."""
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def in_chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def archive() -> LocalArchive:
    return LocalArchive(settings.ARCHIVE_DIR)
