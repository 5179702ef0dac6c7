"""A ZIP that is written as it is read: stored, not deflated, for a PDF is deflated already.

The same papers give the same bytes, so that a download that broke off goes on where it was, made
anew. zipstream-ng dates its entries by the clock; the standard library lets us date them.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from documents.bundles.parts import Part, file_names

Read = Callable[[Part], Iterator[bytes]]
_ZEROS = bytes(256 * 1024)


def zipped(parts: Sequence[Part], read: Read, moment: datetime) -> Iterator[bytes]:
    """The file in chunks. `read` gives the content of each part, in chunks, when it is its turn;
    `moment` is what every entry is dated with.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for part, name in zip(parts, file_names(parts), strict=True):
            with archive.open(_entry(name, part.size, moment), "w") as entry:
                for chunk in read(part):
                    entry.write(chunk)
                    yield from sink.taken()
    yield from sink.taken()


def zipped_size(parts: Sequence[Part], moment: datetime) -> int:
    """How long `zipped` will be, without reading a file."""
    return sum(len(chunk) for chunk in zipped(parts, _nothing, moment))


def _entry(name: str, size: int, moment: datetime) -> zipfile.ZipInfo:
    there = moment.astimezone(UTC)
    date = (there.year, there.month, there.day, there.hour, there.minute, there.second)
    entry = zipfile.ZipInfo(name, date)
    entry.file_size = size  # says whether it needs the long form
    entry.external_attr = 0o644 << 16
    return entry


def _nothing(part: Part) -> Iterator[bytes]:
    """As many bytes as the part has, all nought."""
    left = part.size
    while left > 0:
        yield _ZEROS[:left]
        left -= len(_ZEROS)


class _Sink(io.RawIOBase):
    """Takes what is written and hands it on; it can't be sought in."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        chunks, self._chunks = self._chunks, []
        yield from chunks
