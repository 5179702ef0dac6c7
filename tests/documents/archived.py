"""Documents with files of their own in the archive, and harm done to those."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from documents.models import ArchiveSweep, Document
from documents.services.sweeping import start_sweep, sweep_piece
from tests.factories import CompanyFactory, DocumentFactory, stored
from worker.leasing import WorkState
from worker.running import work_on


def with_file(content: bytes = b"%PDF-1.7 one", **fields: Any) -> Document:
    """A ready document whose file holds `content`."""
    company = fields.pop("company", None) or CompanyFactory.create()
    document: Document = DocumentFactory.create(
        company=company,
        ready=True,
        storage_key=stored(company, content),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        **fields,
    )
    return document


def path_of(document: Document) -> Path:
    return Path(settings.ARCHIVE_DIR) / document.storage_key


def lose(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def make_a_folder_of_it(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "lost": (lose, "missing"),
    "cut short": (cut_short, "changed"),
    "a bit flipped": (flip_a_bit, "changed"),
    "a folder in its place": (make_a_folder_of_it, "changed"),
}


def swept() -> ArchiveSweep:
    """A sweep from its start to its end."""
    return to_its_end(start_sweep())


def to_its_end(sweep: ArchiveSweep) -> ArchiveSweep:
    while sweep.state == WorkState.QUEUED:
        assert work_on(ArchiveSweep, sweep.pk, sweep_piece) == "done"
        sweep.refresh_from_db()
    return sweep


def age(path: Path, hours: float = 1000) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
