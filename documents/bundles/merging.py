"""One PDF of many, written as they are read: what is kept of each is where its objects lie.

pikepdf reads the papers. It does not write the whole: it keeps every object of every paper in
memory until the end (2,000 small papers: 400 MB). Here each object is copied under a new number, a
picture or font that was copied before is referred to, and each paper's tree of pages becomes a
branch of the one tree. Layout as in PDF 32000-1, 7.5.
"""

import hashlib
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

import pikepdf

_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_CATALOG, _PAGES, _OUTLINES, _INFO = 1, 2, 3, 4
_FIRST_FREE = 5
# A string, which is passed over, or a reference.
_TOKENS = re.compile(rb"\((?:[^\\()]|\\.)*\)|<[0-9A-Fa-f]*>|\b(\d+) (\d+) R\b", re.DOTALL)

Key = tuple[int, int]


class NotReadable(Exception):
    """A file is no PDF that can be read; its title is the first argument."""


def merged(
    papers: Iterable[tuple[str, BinaryIO]],
    *,
    title: str,
    author: str,
    moment: datetime,
    identifier: str,
) -> Iterator[bytes]:
    """The file in chunks; each paper, a title and an open file, has a bookmark of that title.

    The same arguments give the same bytes. Raises NotReadable.
    """
    writer = _Writer()
    yield writer.counted(_HEADER)
    for name, file in papers:
        yield from writer.paper(name, file)
    yield from writer.tree()
    yield from writer.bookmarks()
    yield from writer.facts(title, author, moment)
    yield from writer.table(identifier)


@dataclass
class _Source:
    """A paper that is being copied: which number each of its objects has, and what is to come."""

    pdf: pikepdf.Pdf
    numbers: dict[Key, int] = field(default_factory=dict)
    pending: list[tuple[int, bytes, bytes | None]] = field(default_factory=list)


class _Writer:
    def __init__(self) -> None:
        self._position = 0
        # Where each object begins; nought where it isn't written yet.
        self._offsets = array("Q", [0] * _FIRST_FREE)
        self._shared: dict[bytes, int] = {}
        self._branches: list[int] = []
        self._pages = 0
        self._marks: list[tuple[str, int]] = []

    def counted(self, chunk: bytes) -> bytes:
        self._position += len(chunk)
        return chunk

    def paper(self, title: str, file: BinaryIO) -> Iterator[bytes]:
        try:
            with pikepdf.open(file) as pdf:
                yield from self._copy(_Source(pdf), title)
        except pikepdf.PdfError as error:
            raise NotReadable(title, str(error)) from error

    def _copy(self, source: _Source, title: str) -> Iterator[bytes]:
        root = source.pdf.Root.Pages
        branch = self._new_number()
        source.numbers[root.objgen] = branch
        text = self._renumbered(root.unparse(resolved=True), source)
        yield self._object(branch, text[: text.rindex(b">>")] + b"/Parent 2 0 R >>")
        while source.pending:
            number, text, data = source.pending.pop()
            yield self._object(number, self._renumbered(text, source), data)
        self._branches.append(branch)
        self._pages += len(source.pdf.pages)
        self._marks.append((title, source.numbers[source.pdf.pages[0].obj.objgen]))

    def _renumbered(self, text: bytes, source: _Source) -> bytes:
        def replace(match: re.Match[bytes]) -> bytes:
            if match[1] is None:
                return match[0]
            return b"%d 0 R" % self._number_of((int(match[1]), int(match[2])), source)

        return _TOKENS.sub(replace, text)

    def _number_of(self, key: Key, source: _Source) -> int:
        """The new number of an object, which is put on the list when it is met for the first time;
        that of its equal, where a paper before had one.
        """
        if key in source.numbers:
            return source.numbers[key]
        thing = source.pdf.get_object(key)
        if isinstance(thing, pikepdf.Stream):
            data = thing.read_raw_bytes()
            text = thing.stream_dict.unparse(resolved=True)
            known = self._shared.get(equal := _equality(text, data))
            number = self._new_number() if known is None else known
            if known is None:
                source.pending.append((number, text, data))
                if not _refers(text):
                    self._shared[equal] = number
        else:
            number = self._new_number()
            source.pending.append((number, thing.unparse(resolved=True), None))
        source.numbers[key] = number
        return number

    def _new_number(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _object(self, number: int, text: bytes, data: bytes | None = None) -> bytes:
        self._offsets[number] = self._position
        body = text if data is None else b"%b\nstream\n%b\nendstream" % (text, data)
        return self.counted(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def tree(self) -> Iterator[bytes]:
        kids = b" ".join(b"%d 0 R" % branch for branch in self._branches)
        yield self._object(
            _PAGES, b"<< /Type /Pages /Count %d /Kids [ %b ] >>" % (self._pages, kids)
        )

    def bookmarks(self) -> Iterator[bytes]:
        first = len(self._offsets)
        last = first + len(self._marks) - 1
        for number, (title, page) in enumerate(self._marks, first):
            self._new_number()
            around = b"/Prev %d 0 R " % (number - 1) if number > first else b""
            around += b"/Next %d 0 R " % (number + 1) if number < last else b""
            place = b"/Dest [ %d 0 R /Fit ]" % page
            yield self._object(
                number, b"<< /Title %b /Parent 3 0 R %b%b >>" % (_text(title), around, place)
            )
        ends = b"/First %d 0 R /Last %d 0 R " % (first, last) if self._marks else b""
        yield self._object(
            _OUTLINES, b"<< /Type /Outlines %b/Count %d >>" % (ends, len(self._marks))
        )

    def facts(self, title: str, author: str, moment: datetime) -> Iterator[bytes]:
        yield self._object(
            _CATALOG,
            b"<< /Type /Catalog /Pages 2 0 R /Outlines 3 0 R /PageMode /UseOutlines"
            b" /ViewerPreferences << /DisplayDocTitle true >> >>",
        )
        made = f"D:{moment.astimezone(UTC):%Y%m%d%H%M%S}Z".encode()
        yield self._object(
            _INFO,
            b"<< /Title %b /Author %b /Creator (Pressroom) /CreationDate (%b) >>"
            % (_text(title), _text(author), made),
        )

    def table(self, identifier: str) -> Iterator[bytes]:
        start = self._position
        yield b"xref\n0 %d\n0000000000 65535 f \n" % len(self._offsets)
        for offset in self._offsets[1:]:
            yield b"%010d 00000 n \n" % offset
        name = hashlib.md5(identifier.encode(), usedforsecurity=False).hexdigest().encode()
        yield (
            b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R /ID [ <%b> <%b> ] >>\n"
            b"startxref\n%d\n%%%%EOF\n" % (len(self._offsets), name, name, start)
        )


def _equality(text: bytes, data: bytes) -> bytes:
    return hashlib.sha256(b"%d %b%b" % (len(text), text, data)).digest()


def _refers(text: bytes) -> bool:
    return any(match[1] is not None for match in _TOKENS.finditer(text))


def _text(text: str) -> bytes:
    return b"<%b>" % ("\ufeff" + text).encode("utf-16-be", "replace").hex().encode()
