"""The files of all backups in a folder, each kept once under the hash of its content."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from documents.archive import DRAFT, Damaged, Missing, publish
from documents.backups.sealing import CannotOpen, Seal, unsealed, written

_IN_MEMORY = 8 * 1024 * 1024


@dataclass(frozen=True)
class Pool:
    root: Path
    seal: Seal

    def has(self, sha256: str) -> bool:
        return self._path(sha256).exists()

    def put(self, sha256: str, chunks: Iterable[bytes]) -> int:
        """Bytes. Raises Damaged, and keeps nothing, where the content is another."""
        path = self._path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=DRAFT)
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                with written(file, self.seal) as target:
                    for chunk in chunks:
                        digest.update(chunk)
                        size += target.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != sha256:
                raise Damaged(f"{sha256} has changed")
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        publish(Path(draft), path)
        return size

    def open_checked(self, sha256: str) -> BinaryIO:
        """In the clear. Raises Damaged."""
        target = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  handed out
        try:
            with self._path(sha256).open("rb") as source:
                unsealed(source, cast(BinaryIO, target), self.seal)
        except FileNotFoundError as error:
            raise Missing(f"{sha256} is missing in the backup") from error
        except CannotOpen as error:
            raise Damaged(f"{sha256} can't be opened: {error}") from error
        target.seek(0)
        if hashlib.file_digest(cast(Any, target), "sha256").hexdigest() != sha256:
            raise Damaged(f"{sha256} has changed in the backup")
        target.seek(0)
        return cast(BinaryIO, target)

    def _path(self, sha256: str) -> Path:
        return self.root / self.seal.pool / sha256[:2] / f"{sha256}{self.seal.suffix}"
