"""An archive in a bucket that speaks S3, with the promises of the one on a disk.

Written once: the first PUT is conditional (If-None-Match), and what was written is read back and
hashed before it counts. A bucket can't date an object anew without a moment at which a collector
may take it, so storing what is there already leaves a touch beside it, a draft of its own name:

    storing again   leave a touch, then look whether the file is there and whole, else write it
    collecting      put a copy aside, delete the file, then look for touches; one that is young
                    brings the file back

If the touch was left before the collector looked for it, the file comes back. If it was left
after, the file was gone by then, and whoever stores finds it missing and writes it.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from documents.archive.addresses import Bucket, parse_bucket
from documents.archive.protocol import (
    DRAFT,
    Damaged,
    Found,
    Missing,
    Stored,
    Unavailable,
    key_of,
    walk_folders,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_CHUNK = 256 * 1024
_IN_MEMORY = 8 * 1024 * 1024  # larger files are kept on the disk while they are handled
_GONE = ("404", "NoSuchKey", "NotFound")
_THERE = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")
_NOT_KNOWN = ("501", "NotImplemented", "InvalidArgument", "InvalidRequest")
_PROBE = f"{DRAFT}probe"


def open_bucket(url: str) -> "S3Archive":
    bucket = parse_bucket(url)
    return S3Archive(_client(bucket, os.getpid()), bucket.name, bucket.prefix)


@cache
def _client(bucket: Bucket, pid: int) -> "S3Client":
    """One a process: two that were forked must not talk through the same connections."""
    return boto3.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.key,
        aws_secret_access_key=bucket.secret,
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "max_attempts": 3},
            signature_version="s3v4",
            s3=cast(Any, {"addressing_style": bucket.addressing}),
            # Servers that are not Amazon's often know no other checksum than the signature's.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def _answered() -> Iterator[None]:
    """What the bucket refuses, or does not answer, is an error of the archive, not of a file."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(f"The bucket did not do it: {error}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


class S3Archive:
    def __init__(self, client: "S3Client", bucket: str, prefix: str = "") -> None:
        self.client, self.bucket, self.prefix = client, bucket, prefix

    def store(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        stored = self.place(content, folder=folder, suffix=suffix)
        with tempfile.SpooledTemporaryFile(max_size=len(content) + 1) as file:
            file.write(content)
            self._keep(stored, file)
        return stored

    def store_chunks(self, chunks: Iterable[bytes], *, folder: str, suffix: str) -> Stored:
        """Spooled first: the name, which is the hash, must be known when it is sent."""
        digest, size = hashlib.sha256(), 0
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            for chunk in chunks:
                digest.update(chunk)
                size += file.write(chunk)
            sha256 = digest.hexdigest()
            stored = Stored(key=key_of(folder, sha256, suffix), sha256=sha256, size=size)
            self._keep(stored, file)
        return stored

    def place(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        digest = hashlib.sha256(content).hexdigest()
        return Stored(key=key_of(folder, digest, suffix), sha256=digest, size=len(content))

    def _keep(self, stored: Stored, file: IO[bytes]) -> None:
        if self._create(stored.key, file):
            self._require_whole(stored)
            return
        self._touch(stored.key)  # before the look: see above
        if not self._is_whole(stored):
            self._put(stored.key, file)
            self._require_whole(stored)

    def _create(self, key: str, file: IO[bytes]) -> bool:
        """Write it where nothing is. False: something is there."""
        try:
            self._put(key, file, IfNoneMatch="*")
        except Unavailable as error:
            code = _code(error.__cause__) if isinstance(error.__cause__, ClientError) else ""
            if code in _THERE:
                return False
            if code not in _NOT_KNOWN:
                raise
            if self._is_there(key):
                return False
            self._put(key, file)
        return True

    def _put(self, key: str, file: IO[bytes], **condition: Any) -> None:
        file.seek(0)
        with _answered():
            self.client.put_object(
                Bucket=self.bucket, Key=self._name(key), Body=cast(Any, file), **condition
            )

    def _touch(self, key: str) -> None:
        """Each has a name of its own: an old one can be removed without a look at a newer."""
        with _answered():
            self.client.put_object(
                Bucket=self.bucket, Key=self._name(f"{_touches(key)}{uuid4().hex}"), Body=b""
            )

    def _require_whole(self, stored: Stored) -> None:
        if not self._is_whole(stored):
            raise Unavailable(f"The bucket does not give back what was stored as {stored.key}.")

    def _is_whole(self, stored: Stored) -> bool:
        try:
            self.open_checked(stored.key, stored.sha256).close()
        except Damaged:
            return False
        return True

    def read(self, key: str, sha256: str) -> bytes:
        with self.open_checked(key, sha256) as file:
            return file.read()

    def open_checked(self, key: str, sha256: str) -> BinaryIO:
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  handed out
        try:
            if self._fetch(key, file) != sha256:
                raise Damaged(f"{key} has changed")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return cast(BinaryIO, file)

    def _fetch(self, key: str, file: IO[bytes]) -> str:
        """The file's SHA-256."""
        digest = hashlib.sha256()
        with _answered():
            try:
                found = self.client.get_object(Bucket=self.bucket, Key=self._name(key))
            except ClientError as error:
                if _code(error) in _GONE:
                    raise Missing(f"{key} is missing") from error
                raise
            for chunk in found["Body"].iter_chunks(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
        return digest.hexdigest()

    def size(self, key: str) -> int:
        return int(self._about(key)["ContentLength"])

    def _about(self, key: str) -> Any:
        with _answered():
            try:
                return self.client.head_object(Bucket=self.bucket, Key=self._name(key))
            except ClientError as error:
                if _code(error) in _GONE:
                    raise Missing(f"{key} is missing") from error
                raise

    def _is_there(self, key: str) -> bool:
        try:
            self._about(key)
        except Missing:
            return False
        return True

    def is_writable(self) -> bool:
        """One small object, written over and over: probes ask every few seconds."""
        try:
            with _answered():
                self.client.put_object(Bucket=self.bucket, Key=self._name(_PROBE), Body=b"")
        except Unavailable:
            return False
        return True

    def folders(self, *, after: str = "") -> Iterator[str]:
        return walk_folders(self._names_of_folders, after)

    def _names_of_folders(self, folder: str) -> list[str]:
        start = self._name(f"{folder}/") if folder else self.prefix
        names: set[str] = set()
        for page in self._pages(start):
            found = (each.get("Prefix", "") for each in page.get("CommonPrefixes", []))
            names |= {name[len(start) :].rstrip("/") for name in found}
        return sorted(names - {""})

    def files_in(self, folder: str) -> Iterator[Found]:
        start = self._name(f"{folder}/")
        for page in self._pages(start):
            for each in page.get("Contents", []):
                key = each["Key"][len(self.prefix) :]
                yield Found(key, each["Size"], each["LastModified"].timestamp())

    def _pages(self, start: str) -> Iterator[Any]:
        with _answered():
            pages = self.client.get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, Prefix=start, Delimiter="/")

    def remove(self, key: str, *, untouched_since: float) -> bool:
        """Set aside, removed, looked for touches again: see above. Collectors come one at a time,
        as the sweep does.
        """
        try:
            about = self._about(key)
        except Missing:
            return False
        if about["LastModified"].timestamp() >= untouched_since:
            return False
        if self._is_draft(key):
            self._delete(key)
            return True
        return not self._was_touched(key, untouched_since) and self._collect(key, untouched_since)

    def _collect(self, key: str, untouched_since: float) -> bool:
        aside = f"{key.rpartition('/')[0]}/{DRAFT}aside-{uuid4().hex}"
        self._copy(key, aside)
        self._delete(key)
        was_touched = self._was_touched(key, untouched_since)
        if was_touched:
            self._copy(aside, key)  # over what was written meanwhile, which is the same
        self._delete(aside)
        return not was_touched

    def _was_touched(self, key: str, since: float) -> bool:
        return any(
            each["LastModified"].timestamp() >= since
            for page in self._pages(self._name(_touches(key)))
            for each in page.get("Contents", [])
        )

    def _copy(self, key: str, target: str) -> None:
        with _answered():
            self.client.copy_object(
                Bucket=self.bucket,
                Key=self._name(target),
                CopySource={"Bucket": self.bucket, "Key": self._name(key)},
            )

    def _delete(self, key: str) -> None:
        with _answered():
            self.client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def _is_draft(self, key: str) -> bool:
        return key.rpartition("/")[2].startswith(DRAFT)

    def _name(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/"):
            raise Damaged(f"{key} points out of the archive")
        return self.prefix + key


def _touches(key: str) -> str:
    """How the names of a file's touches begin."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{DRAFT}touch-{name}-"
