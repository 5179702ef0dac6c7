"""Looks into the archive while it is written: nothing under a final name may be half a file."""

import hashlib
import os
from pathlib import Path
from threading import Event, Thread

from documents.archive import DRAFT


class Watcher(Thread):
    """Each file is read once, as soon as it is seen. `damage`: those that are not what they say."""

    def __init__(self, root: Path) -> None:
        super().__init__(daemon=True, name="watcher")
        self.damage: list[str] = []
        self.looked_at = 0
        self._root, self._done = root, Event()
        self._seen: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        while not self._done.wait(0.05):
            for folder, _, names in os.walk(self._root):
                for name in names:
                    if name.endswith(".pdf") and not name.startswith(DRAFT):
                        self._look(Path(folder) / name)

    def stop(self) -> None:
        self._done.set()
        self.join(30)

    def _look(self, path: Path) -> None:
        try:
            about = path.stat()
            if self._seen.get(str(path)) == (about.st_mtime_ns, about.st_size):
                return
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return
        self._seen[str(path)] = (about.st_mtime_ns, about.st_size)
        self.looked_at += 1
        if digest != path.stem:
            self.damage.append(f"{path.name} held {about.st_size} bytes of another content")
