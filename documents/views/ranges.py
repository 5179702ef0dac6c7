"""Handing out a file, whole or from where a download broke off (RFC 9110, 13 and 14).

One range of bytes is served; several at once, which can be made to cost more than the file, get
the whole file, as does what makes no sense. `If-Range` with another ETag gets the whole file too:
parts of two files never meet. Where the proxy reads the archive itself (`ACCEL_PREFIX`), it is only
told which file, and does the ranges.
"""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from documents.archive import LocalArchive, Unavailable, archive

log = logging.getLogger(__name__)

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Span:
    """Bytes `start` up to, not including, `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Download:
    """What is handed out. `read` opens it, and fails, before anything is answered. `key` is where
    it lies in the archive, if it is a file there.
    """

    size: int
    etag: str
    content_type: str
    disposition: str
    read: Callable[[Span], Iterator[bytes]]
    key: str = ""


def stored_file(
    *, key: str, sha256: str, size: int, content_type: str, disposition: str
) -> Download:
    """A file of the archive, checked against its hash whenever it is handed out."""
    return Download(
        size=size,
        etag=sha256,
        content_type=content_type,
        disposition=disposition,
        read=lambda span: FilePart(archive().open_checked(key, sha256), span),
        key=key,
    )


class _NotSatisfiable(Exception):
    """The range begins behind the file's end."""


def hand_out(request: HttpRequest, download: Download) -> HttpResponseBase:
    etag = quote_etag(download.etag)
    settled = get_conditional_response(request, etag=etag)
    if settled is not None:
        return _private(settled, etag)
    if _is_for_the_proxy(request, download):
        return _private(_pointed_at(download), etag)
    try:
        span = _span_of(request, download.size, etag)
    except _NotSatisfiable:
        refused = HttpResponse(status=416, content_type="text/plain")
        refused["Content-Range"] = f"bytes */{download.size}"
        return _private(refused, etag)
    try:
        return _private(_answer(download, span), etag)
    except Unavailable as error:
        log.warning("The archive does not answer: %s", error)
        return _not_now()


def _not_now() -> HttpResponse:
    """Nothing is known of the file: it may well be there in a minute."""
    text = "The archive does not answer just now. Try again in a minute.\n"
    response = HttpResponse(text, status=503, content_type="text/plain")
    response["Retry-After"] = "30"
    return response


def _answer(download: Download, span: Span | None) -> HttpResponseBase:
    part = span or Span(0, download.size)
    response = StreamingHttpResponse(
        download.read(part), status=206 if span else 200, content_type=download.content_type
    )
    response["Content-Length"] = str(part.size)
    if span:
        response["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{download.size}"
    return _described(response, download)


def _is_for_the_proxy(request: HttpRequest, download: Download) -> bool:
    """`If-Match` was answered here, for the proxy does not know our ETag: it would refuse."""
    if not settings.ACCEL_PREFIX or not download.key or "If-Match" in request.headers:
        return False
    return isinstance(archive(), LocalArchive)


def _pointed_at(download: Download) -> HttpResponse:
    """For nginx: it throws the body away and sends the file, or the part that was asked for."""
    archive().open_checked(download.key, download.etag).close()
    response = HttpResponse(content_type=download.content_type)
    response["X-Accel-Redirect"] = settings.ACCEL_PREFIX + quote(download.key)
    _described(response, download)
    return response


def _described(response: HttpResponseBase, download: Download) -> HttpResponseBase:
    response["Content-Disposition"] = download.disposition
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response


def _span_of(request: HttpRequest, size: int, etag: str) -> Span | None:
    """What is asked for; None for the whole file. Only a GET may ask for a part."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or match is None or match[0] == "bytes=-":
        return None
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    if not match[1]:
        return _satisfiable(Span(max(0, size - int(match[2])), size))
    start, last = int(match[1]), int(match[2] or size)
    if last < start:
        return None
    return _satisfiable(Span(start, min(size, last + 1)))


def _satisfiable(span: Span) -> Span:
    if span.size <= 0:
        raise _NotSatisfiable
    return span


def _private(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """Kept by the reader's own browser only, which asks each time whether it still may show it."""
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    return response


class FilePart:
    """The bytes of a span of an open file; closed also when nothing of it is read, as on HEAD."""

    def __init__(self, file: BinaryIO, span: Span) -> None:
        file.seek(span.start)
        self._file, self._left = file, span.size

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        chunk = self._file.read(min(_CHUNK, self._left))
        if not chunk:
            self.close()
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._file.close()


def part_of(chunks: Iterator[bytes], span: Span) -> Iterator[bytes]:
    """The same of a file that is made as it is read: what comes before is made and thrown away."""
    position = 0
    for chunk in chunks:
        begin, end = max(span.start - position, 0), span.stop - position
        position += len(chunk)
        if begin < len(chunk):
            yield chunk[begin:end]
        if position >= span.stop:
            return
