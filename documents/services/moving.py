"""Moving the archive from one place to another while papers are made.

Every file is copied under its own name, which is its hash, so that copying again copies only what
is lacking: what was interrupted is gone on with, and what was made meanwhile is fetched by a last
pass after the switch. The former place is read as long as it is named as the fallback.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from documents.archive import Archive, Damaged, in_chunks, key_parts
from documents.models import BatchJob, Document

_MOST_NAMED = 50


@dataclass
class Moved:
    """What a pass came to. `named` are the first few problems."""

    copied: int = 0
    there: int = 0
    size: int = 0
    removed: int = 0
    left: int = 0
    problems: int = 0
    named: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        self.problems += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append(problem)


def copy_files(source: Archive, target: Archive, *, verify: bool = False) -> Iterator[Moved]:
    """Yields how far it is after each file. `verify`: what is there already is hashed, too."""
    moved = Moved()
    for key in _keys_in(source):
        try:
            _copy(source, target, key, moved, verify=verify)
        except Damaged as error:
            moved.note(str(error))
        yield moved


def check_named(target: Archive, moved: Moved) -> None:
    """That the target has each file that a row names, whole."""
    for key, sha256 in named_files():
        try:
            target.open_checked(key, sha256).close()
        except Damaged as error:
            moved.note(str(error))


def remove_copied(source: Archive, target: Archive, moved: Moved) -> None:
    """Take from the source what the target has whole. The rest stays."""
    for key in _keys_in(source):
        try:
            target.open_checked(key, key_parts(key)[1]).close()
        except (Damaged, ValueError):
            moved.left += 1
            continue
        if source.remove(key, untouched_since=float("inf")):
            moved.removed += 1


def named_files() -> Iterator[tuple[str, str]]:
    """(key, SHA-256) of every file that a row names, but for the pictures inside of snapshots."""
    documents = Document.objects.across_companies().exclude(storage_key="").order_by()
    jobs = BatchJob.objects.exclude(storage_key="").order_by()
    for rows in (documents, jobs):
        yield from rows.values_list("storage_key", "sha256").iterator()


def _keys_in(source: Archive) -> Iterator[str]:
    for folder in source.folders():
        yield from (found.key for found in source.files_in(folder) if not found.is_draft)


def _copy(source: Archive, target: Archive, key: str, moved: Moved, *, verify: bool) -> None:
    try:
        folder, sha256, suffix = key_parts(key)
    except ValueError:
        moved.note(f"{key} is not named by its content, and is left where it is")
        return
    if _has(target, key, sha256, source.size(key), verify=verify):
        moved.there += 1
        return
    stored = target.store_chunks(
        in_chunks(source.open_checked(key, sha256)), folder=folder, suffix=suffix
    )
    if stored.key != key:
        raise Damaged(f"{key} changed while it was copied")
    moved.copied += 1
    moved.size += stored.size


def _has(target: Archive, key: str, sha256: str, size: int, *, verify: bool) -> bool:
    try:
        if not verify:
            return target.size(key) == size
        target.open_checked(key, sha256).close()
    except Damaged:  # or missing: it is written anew
        return False
    return True
