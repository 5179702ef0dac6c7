"""An archive that is on the move: files are stored in the new place and read in both."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from documents.archive.protocol import Archive, Damaged, Found, Stored


class FallbackArchive:
    """Whatever the new place does not hold whole is read from the former one.

    Nothing is written to the former place, and nothing of it is collected: it is there to be read
    until everything was copied, and goes as a whole.
    """

    def __init__(self, current: Archive, former: Archive) -> None:
        self.current, self.former = current, former

    def store(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        return self.current.store(content, folder=folder, suffix=suffix)

    def store_chunks(self, chunks: Iterable[bytes], *, folder: str, suffix: str) -> Stored:
        return self.current.store_chunks(chunks, folder=folder, suffix=suffix)

    def place(self, content: bytes, *, folder: str, suffix: str) -> Stored:
        return self.current.place(content, folder=folder, suffix=suffix)

    def read(self, key: str, sha256: str) -> bytes:
        with self.open_checked(key, sha256) as file:
            return file.read()

    def open_checked(self, key: str, sha256: str) -> BinaryIO:
        try:
            return self.current.open_checked(key, sha256)
        except Damaged as error:
            try:
                return self.former.open_checked(key, sha256)
            except Damaged:
                raise error from None  # what counts is the place in use

    def size(self, key: str) -> int:
        try:
            return self.current.size(key)
        except Damaged:
            return self.former.size(key)

    def is_writable(self) -> bool:
        return self.current.is_writable()

    def folders(self, *, after: str = "") -> Iterator[str]:
        return self.current.folders(after=after)

    def files_in(self, folder: str) -> Iterator[Found]:
        return self.current.files_in(folder)

    def remove(self, key: str, *, untouched_since: float) -> bool:
        return self.current.remove(key, untouched_since=untouched_since)
