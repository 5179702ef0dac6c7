"""What goes into a bundle: the papers in their order, each under a name of its own."""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from documents.filenames import unicode_name

# Raised when the same papers are written in another way: files made before are old then.
_FORMAT = 1
_SUFFIX = ".pdf"
# What Windows takes for a device, whatever the suffix.
_DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}


@dataclass(frozen=True)
class Part:
    """One paper: `title` names it to people, the rest tells where its file lies."""

    document_id: UUID
    title: str
    storage_key: str
    sha256: str
    size: int


def digest_of(parts: Iterable[Part]) -> str:
    """SHA-256 in hexadecimal: the same papers in the same order under the same names, or not."""
    digest = hashlib.sha256(f"{_FORMAT}\n".encode())
    for part in parts:
        digest.update(f"{part.document_id} {part.sha256} {part.title!r}\n".encode())
    return digest.hexdigest()


def file_names(parts: Sequence[Part]) -> list[str]:
    """`C-001 Party name.pdf` each: no path, no device, and none twice, also where the case of
    letters or their composition does not tell names apart.
    """
    taken: set[str] = set()
    return [_free_name(part.title, taken) for part in parts]


def _free_name(title: str, taken: set[str]) -> str:
    stem = unicode_name(title)
    if stem.split(".")[0].strip().lower() in _DEVICES:
        stem = f"_{stem}"
    name, number = stem + _SUFFIX, 1
    while _as_compared(name) in taken:
        number += 1
        name = f"{stem} ({number}){_SUFFIX}"
    taken.add(_as_compared(name))
    return name


def _as_compared(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
