"""Files that are given to be looked at: hashed while they arrive, and never kept.

What has to be read again lies in a file without a name, which ends with the process that holds it.
"""

import hashlib
import tempfile
from typing import IO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

_MEGABYTE = 1_000_000
# What is a little too large is read to its end, since a browser waits for that before it shows an
# answer; what is far too large is not.
_MOST_DRAINED = 8


class HashedUpload(UploadedFile[bytes]):
    """An uploaded file and its SHA-256. Without `keep` it has no content any more."""

    sha256 = ""


def most_bytes() -> int:
    return int(settings.MAX_UPLOAD_MB) * _MEGABYTE


def refusal() -> str:
    return f"This file is larger than {settings.MAX_UPLOAD_MB} MB, the most that is looked at."


def is_far_too_large(request: HttpRequest) -> bool:
    return int(request.META.get("CONTENT_LENGTH") or 0) > _MOST_DRAINED * most_bytes()


class HashingHandler(FileUploadHandler):
    """Takes the field `file`, up to the limit in all; `was_too_large` tells that it met more."""

    def __init__(self, request: HttpRequest, *, keep: bool) -> None:
        super().__init__(request)
        self.was_too_large = False
        self.refusal = refusal()
        self._keep = keep
        self._room = most_bytes()
        self._file: IO[bytes] | None = None

    def new_file(self, field_name: str, *args: object, **kwargs: object) -> None:
        super().new_file(field_name, *args, **kwargs)  # type: ignore[arg-type]
        if field_name != "file" or self.was_too_large:
            raise SkipFile
        self._digest = hashlib.sha256()
        self._close()
        if self._keep:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the request

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._room -= len(raw_data)
        if self._room < 0:
            self.was_too_large = True
            self._close()
            raise SkipFile
        self._digest.update(raw_data)
        if self._file is not None:
            self._file.write(raw_data)

    def file_complete(self, file_size: int) -> HashedUpload:
        upload = HashedUpload(file=self._file, name=self.file_name, size=file_size)
        upload.sha256 = self._digest.hexdigest()
        self._file = None
        if upload.file is not None:
            upload.file.seek(0)
        return upload

    def upload_interrupted(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
