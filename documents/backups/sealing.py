"""Backups that only the holder of a key can read: age (https://age-encryption.org).

With a passphrase, a key pair is made for the folder and its secret half kept there, sealed by the
passphrase: opening that takes a second on purpose, and so is done once and not for every file.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyrage

from documents.archive import DRAFT

_KEY_FILE = "key.age"


class CannotOpen(Exception):
    """The backup is sealed, and this is not its key."""


@dataclass(frozen=True)
class Seal:
    """`recipient` and `identity` in age's own text; an empty recipient: nothing is sealed."""

    recipient: str = ""
    identity: str = ""

    @property
    def suffix(self) -> str:
        return ".age" if self.recipient else ""

    @property
    def pool(self) -> str:
        """Files that were sealed for somebody else are of no use: each has a folder of its own."""
        mark = hashlib.sha256(self.recipient.encode()).hexdigest()[:12]
        return f"files-{mark}" if self.recipient else "files"


OPEN = Seal()


def seal_to(recipient: str) -> Seal:
    """Raises CannotOpen for what is no recipient."""
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise CannotOpen(f"{recipient!r} is no age recipient, such as age1...") from error
    return Seal(recipient=recipient)


def seal_by_passphrase(folder: Path, passphrase: str, *, is_first: bool) -> Seal:
    """The folder's key; made where there is none, if it may be the first time.

    Raises CannotOpen for another passphrase.
    """
    path = folder / _KEY_FILE
    if not path.exists() and not is_first:
        raise CannotOpen(f"{path} is missing: without it the passphrase opens nothing.")
    if not path.exists():
        _make_key(path, passphrase)
    try:
        identity = pyrage.passphrase.decrypt(path.read_bytes(), passphrase).decode()
    except pyrage.DecryptError as error:
        raise CannotOpen("This is not the passphrase of the backups in this folder.") from error
    return seal_by_identity(identity)


def _make_key(path: Path, passphrase: str) -> None:
    """The first of two that begin at once gives the folder its key; the other finds it there."""
    made = str(pyrage.x25519.Identity.generate())
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=DRAFT) as draft:
        draft.write(pyrage.passphrase.encrypt(made.encode(), passphrase))
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):
            os.link(draft.name, path)


def seal_by_identity(text: str) -> Seal:
    """From the content of an identity file, whose comments begin with #."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
    try:
        identity = pyrage.x25519.Identity.from_str(lines[0])
    except (IndexError, pyrage.IdentityError) as error:
        raise CannotOpen("This is no age identity: a line AGE-SECRET-KEY-1...") from error
    return Seal(recipient=str(identity.to_public()), identity=lines[0])


@contextmanager
def written(file: BinaryIO, seal: Seal) -> Iterator[BinaryIO]:
    """What is written to the one that is yielded arrives in `file`, sealed."""
    if not seal.recipient:
        yield file
        return
    recipients = [pyrage.x25519.Recipient.from_str(seal.recipient)]
    with _piped(lambda source: pyrage.encrypt_io(source, file, recipients)) as target:
        yield target


@contextmanager
def _piped(work: Any) -> Iterator[BinaryIO]:
    """The writing end of a pipe whose other end `work` reads in a thread of its own."""
    outlet, inlet = os.pipe()
    with ThreadPoolExecutor(1) as threads:
        with os.fdopen(inlet, "wb") as target:
            done = threads.submit(_run, work, outlet)
            yield target
        done.result()


def _run(work: Any, outlet: int) -> None:
    with os.fdopen(outlet, "rb") as source:
        work(source)


def unsealed(source: BinaryIO, target: BinaryIO, seal: Seal) -> None:
    """Copy what `source` holds in the clear. Raises CannotOpen."""
    if not seal.recipient:
        shutil.copyfileobj(source, target)
        return
    if not seal.identity:
        raise CannotOpen("This backup is sealed: its identity or passphrase is needed.")
    try:
        identities = [pyrage.x25519.Identity.from_str(seal.identity)]
        pyrage.decrypt_io(cast(Any, source), cast(Any, target), identities)
    except pyrage.DecryptError as error:
        raise CannotOpen("This key does not open the backup, or it is damaged.") from error
