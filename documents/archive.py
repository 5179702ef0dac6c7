"""The archive: files that are written once and read back under their hash.

A file's name is its content's SHA-256, so writing the same content twice is harmless, also when
two workers do it at once, and a half-written file never has a final name: temp file, fsync,
rename, fsync of the directory.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

from django.conf import settings

DRAFT = ".draft-"
_CHUNK = 256 * 1024


class Damaged(Exception):
    """The archive does not hold what was stored: the file is missing or has changed."""


class Missing(Damaged):
    """There is no such file."""


@dataclass(frozen=True)
class Stored:
    """Where a file lies (`key`, relative to the archive), its SHA-256 and its size in bytes."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Found:
    """A file that lies in the archive; `modified` in seconds since 1970."""

    key: str
    size: int
    modified: float

    @property
    def is_draft(self) -> bool:
        return self.key.rpartition("/")[2].startswith(DRAFT)


class Archive(Protocol):
    """What every kind of archive can do, whichever the disks."""

    def store(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        """Write `content` below `folder`, or find it there already. Raises OSError."""

    def store_chunks(self, chunks: Iterable[bytes], *, folder: str, suffix: str) -> Stored:
        """The same for a file too large for the memory. Raises OSError."""

    def place(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        """Where `content` lies, or would lie; nothing is written."""

    def read(self, key: str, sha256: str) -> bytes:
        """The whole content, checked. Raises Damaged."""

    def open_checked(self, key: str, sha256: str) -> BinaryIO:
        """The file, open at its start, after its hash was checked. Raises Damaged."""

    def size(self, key: str) -> int:
        """Bytes. Raises Damaged."""

    def is_writable(self) -> bool: ...

    def folders(self, *, after: str = "") -> Iterator[str]:
        """Every folder with its parts in order, those behind `after` only."""

    def files_in(self, folder: str) -> Iterator[Found]:
        """What lies in a folder itself, drafts too, in no order."""

    def remove(self, key: str, *, untouched_since: float) -> bool:
        """Remove a file that was not stored again since (seconds since 1970)."""


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
        stored = Stored(key=_key(folder, digest, suffix), sha256=digest, size=size)
        publish(draft, self._path(stored.key))
        return stored

    def place(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        digest = hashlib.sha256(content).hexdigest()
        return Stored(key=_key(folder, digest, suffix), sha256=digest, size=len(content))

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
        behind = tuple(after.split("/")) if after else ()
        yield from self._folders_below((), behind)

    def _folders_below(self, parts: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
        for name in self._names_of_folders("/".join(parts)):
            inner = (*parts, name)
            if inner > after:
                yield "/".join(inner)
            if inner > after or inner == after[: len(inner)]:
                yield from self._folders_below(inner, after)

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


def in_chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def archive() -> Archive:
    return LocalArchive(settings.ARCHIVE_DIR)


def _key(folder: str, digest: str, suffix: str) -> str:
    return f"{folder}/{digest[:2]}/{digest}{suffix}"
