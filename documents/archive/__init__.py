"""The archive: files that are written once and read back under their hash.

A file's name is its content's SHA-256, so writing the same content twice is harmless, also when
two workers do it at once, and a half-written file never has a final name. It lies on a disk, or in
a bucket that speaks S3; while it moves from one to the other, both are read.
"""

from django.conf import settings

from documents.archive.fallback import FallbackArchive
from documents.archive.local import LocalArchive, publish
from documents.archive.opening import open_archive
from documents.archive.protocol import (
    DRAFT,
    Archive,
    Damaged,
    Found,
    Missing,
    Stored,
    Unavailable,
    in_chunks,
    key_parts,
)

__all__ = [
    "DRAFT",
    "Archive",
    "Damaged",
    "FallbackArchive",
    "Found",
    "LocalArchive",
    "Missing",
    "Stored",
    "Unavailable",
    "archive",
    "archive_in_use",
    "archive_place",
    "in_chunks",
    "key_parts",
    "open_archive",
    "publish",
]


def archive() -> Archive:
    """Where files are stored, and read, from the place it is moving away from too."""
    current = archive_in_use()
    former = settings.ARCHIVE_FALLBACK
    return FallbackArchive(current, open_archive(former)) if former else current


def archive_in_use() -> Archive:
    """Where files are stored: a former place is not looked into."""
    return open_archive(archive_place())


def archive_place() -> str:
    return settings.STORAGE_URL or str(settings.ARCHIVE_DIR)
