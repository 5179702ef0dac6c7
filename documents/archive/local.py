"""An archive on a disk of this machine, or on one that is mounted.

A file is whole or not there: temp file, fsync, rename, fsync of the directory.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from documents.archive.protocol import (
    DRAFT,
    Damaged,
    Found,
    Missing,
    Stored,
    key_of,
    walk_folders,
)


class LocalArchive:
    """An archive on a disk of this machine, or on one that is mounted."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def store(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        stored = self.place(content, folder=folder, suffix=suffix)
        if not self._keeps(stored.key, stored.sha256):
            path = self._path(stored.key)
            publish(self._draft(path.parent, [content])[0], path)
        return stored

    def store_chunks(self, chunks: Iterable[bytes], *, folder: str, suffix: str) -> Stored:
        draft, digest, size = self._draft(self._path(folder), chunks)
        stored = Stored(key=key_of(folder, digest, suffix), sha256=digest, size=size)
        publish(draft, self._path(stored.key))
        return stored

    def place(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        digest = hashlib.sha256(content).hexdigest()
        return Stored(key=key_of(folder, digest, suffix), sha256=digest, size=len(content))

    def read(self, key: str, sha256: str) -> bytes:
        with self.open_checked(key, sha256) as file:
            return file.read()

    def open_checked(self, key: str, sha256: str) -> BinaryIO:
        file = self._open(key)
        try:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise Damaged(f"{key} has changed")
            file.seek(0)
        except OSError as error:
            file.close()
            raise Damaged(f"{key} can't be read: {error.strerror}") from error
        except BaseException:
            file.close()
            raise
        return file

    def size(self, key: str) -> int:
        with self._open(key) as file:
            return os.fstat(file.fileno()).st_size

    def is_writable(self) -> bool:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                return True
        except OSError:
            return False

    def folders(self, *, after: str = "") -> Iterator[str]:
        return walk_folders(self._names_of_folders, after)

    def _names_of_folders(self, folder: str) -> list[str]:
        with suppress(FileNotFoundError), os.scandir(self._path(folder)) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        return []

    def files_in(self, folder: str) -> Iterator[Found]:
        with suppress(FileNotFoundError), os.scandir(self._path(folder)) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):  # a draft that just became a file
                        about = entry.stat(follow_symlinks=False)
                        yield Found(f"{folder}/{entry.name}", about.st_size, about.st_mtime)

    def remove(self, key: str, *, untouched_since: float) -> bool:
        """Set aside, looked at again, then removed: who stores it at this moment either touched it
        before, which is seen here, or finds nothing and writes it anew.
        """
        path = self._path(key)
        aside = path.with_name(f"{DRAFT}{uuid4().hex}")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if aside.stat().st_mtime >= untouched_since:
            aside.rename(path)  # over what was written meanwhile, which is the same
            return False
        aside.unlink()
        return True

    def _keeps(self, key: str, digest: str) -> bool:
        """Whether it lies there whole. It counts as stored just now: no sweep takes it."""
        try:
            self.open_checked(key, digest).close()
            os.utime(self._path(key))
        except (Damaged, FileNotFoundError):
            return False
        return True

    def _draft(self, folder: Path, chunks: Iterable[bytes]) -> tuple[Path, str, int]:
        """A complete file without its final name, its SHA-256 and its size."""
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder, prefix=DRAFT)
        digest = hashlib.sha256()
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
                return Path(draft), digest.hexdigest(), file.tell()
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise

    def _open(self, key: str) -> BufferedReader:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise Missing(f"{key} is missing") from error
        except OSError as error:
            raise Damaged(f"{key} can't be read: {error.strerror}") from error

    def _path(self, key: str) -> Path:
        path = (self.root / key).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise Damaged(f"{key} points out of the archive")
        return path


def publish(draft: Path, path: Path) -> None:
    """Give a complete file its final name, durably: all of it is seen, or none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
