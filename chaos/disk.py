"""The archive's disk: a small one of its own where the system lets us mount it, which really fills
up; elsewhere the harness refuses to write (chaos/weather.py), and the report says so.
"""

import subprocess
from pathlib import Path

_BALLAST = ".ballast"


class Disk:
    def __init__(self, folder: Path, megabytes: int) -> None:
        self.archive = folder / "archive"
        self.archive.mkdir()
        self._marker = folder / "disk-is-full"
        self.is_mounted = _ran("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self)

    def __str__(self) -> str:
        return str(self.archive)

    @property
    def kind(self) -> str:
        return "tmpfs, filled up" if self.is_mounted else "writes refused by the harness"

    def fill(self) -> None:
        if not self.is_mounted:
            self._marker.touch()
            return
        with (self.archive / _BALLAST).open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(2**20))
            except OSError:
                return

    def empty(self) -> None:
        self._marker.unlink(missing_ok=True)
        (self.archive / _BALLAST).unlink(missing_ok=True)

    def close(self) -> None:
        if self.is_mounted:
            _ran("umount", "-l", self)


def _ran(*words: object) -> bool:
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0
