"""What every process lives in: messages that get lost or come twice, a slow disk, quick papers.

Nothing of it is a switch in the product: it is laid over it from here, by the environment.
"""

import errno
import io
import os
import random
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pikepdf
from kombu.transport.redis import Channel

from documents.archive.local import LocalArchive
from documents.models import deliveries
from documents.pdf_fingerprint import KEY
from documents.rendering import Rendered, render_paper
from documents.services import making

_SIZE = 30_000  # bytes, about what a statement has
_PIECES = 8


def install() -> None:
    lose_and_double_messages()
    slow_the_disk()
    hurry_papers()
    # A mail that could not be sent is tried again within seconds, not minutes.
    deliveries._WAITS = (1 / 20,)  # type: ignore[assignment]


def lose_and_double_messages() -> None:
    """On their way into the broker: who publishes is told that all is well."""
    dropped, doubled = (float(os.environ.get(name, "0")) for name in ("CHAOS_DROP", "CHAOS_DOUBLE"))
    put = Channel._put

    def blown(self: Channel, queue: str, message: Any, **options: Any) -> None:
        chance = random.random()
        if chance < dropped:
            _count("dropped")
            return
        put(self, queue, message, **options)
        _count("sent")
        if chance > 1 - doubled:
            _count("doubled")
            put(self, queue, message, **options)

    setattr(Channel, "_put", blown)  # noqa: B010


def _count(what: str) -> None:
    """A byte a time, in a file that all processes append to; a broker may lose a counter."""
    with (Path(os.environ["CHAOS_FOLDER"]) / f"messages.{what}").open("ab") as file:
        file.write(b".")


def slow_the_disk() -> None:
    """A file takes its time to be written, so that a kill finds some half done."""
    draft = LocalArchive._draft

    def slow(self: LocalArchive, folder: Path, chunks: Iterable[bytes]) -> tuple[Path, str, int]:
        return draft(self, folder, dripping(chunks))

    LocalArchive._draft = slow  # type: ignore[method-assign]


def dripping(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pause = float(os.environ.get("CHAOS_DISK_SECONDS", "0")) / _PIECES
    for chunk in chunks:
        step = max(1, -(-len(chunk) // _PIECES))
        for start in range(0, len(chunk), step):
            time.sleep(pause)
            _refuse_when_full()
            yield chunk[start : start + step]


def _refuse_when_full() -> None:
    """Only where no small disk could be mounted: see chaos/disk.py."""
    if (Path(os.environ["CHAOS_FOLDER"]) / "disk-is-full").exists():
        raise OSError(errno.ENOSPC, "No space left on device")


def hurry_papers() -> None:
    """A share of them is rendered; the rest is a real PDF with one empty page, and a sleep."""
    share = float(os.environ.get("CHAOS_REAL", "1"))
    seconds = float(os.environ.get("CHAOS_RENDER_SECONDS", "0.1"))
    real = render_paper

    def render(*, template: str, fingerprint: str, **rest: Any) -> Rendered:
        place = int(fingerprint[:8], 16) / 0xFFFFFFFF
        if place <= share or template.startswith("faults/"):
            return real(template=template, fingerprint=fingerprint, **rest)
        time.sleep(seconds * (0.5 + int(fingerprint[8:12], 16) / 0xFFFF))
        return Rendered(content=_empty_page(fingerprint), pages=1)

    setattr(making, "render_paper", render)  # noqa: B010


def _empty_page(fingerprint: str) -> bytes:
    """Deterministic, and of this paper only, as a rendered one is."""
    file = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.docinfo[KEY] = fingerprint
        pdf.pages[0].Contents = pdf.make_stream(b"%" + b"." * _SIZE)
        pdf.save(file, static_id=True, compress_streams=False)
    return file.getvalue()
