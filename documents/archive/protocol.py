"""What every kind of archive can do, and how its files are named."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

DRAFT = ".draft-"
_CHUNK = 256 * 1024
_KEY = re.compile(
    r"(?P<folder>.+)/(?P<start>[0-9a-f]{2})/(?P<sha>(?P=start)[0-9a-f]{62})(?P<suffix>[^/]*)"
)


class Damaged(Exception):
    """The archive does not hold what was stored: the file is missing or has changed."""


class Missing(Damaged):
    """There is no such file."""


class Unavailable(OSError):
    """The archive did not answer, or not as it should: nothing is known of the file."""


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


def key_of(folder: str, digest: str, suffix: str) -> str:
    return f"{folder}/{digest[:2]}/{digest}{suffix}"


def key_parts(key: str) -> tuple[str, str, str]:
    """(folder, SHA-256, suffix) of a key; ValueError for what no archive would have named so."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"{key} is not named by its content.")
    return match["folder"], match["sha"], match["suffix"]


def in_chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def walk_folders(names_in: Callable[[str], list[str]], after: str) -> Iterator[str]:
    """Every folder behind `after`, its parts in order; `names_in` gives a folder's folders."""
    yield from _below(names_in, (), tuple(after.split("/")) if after else ())


def _below(
    names_in: Callable[[str], list[str]], parts: tuple[str, ...], after: tuple[str, ...]
) -> Iterator[str]:
    for name in names_in("/".join(parts)):
        inner = (*parts, name)
        if inner > after:
            yield "/".join(inner)
        if inner > after or inner == after[: len(inner)]:
            yield from _below(names_in, inner, after)
