"""What this process and its children hold in memory, where the system tells (Linux)."""

import os
from contextlib import suppress
from pathlib import Path

_OURS = Path("/proc/self/task")


def resident_kb(pid: int | str) -> int:
    """VmRSS: what is shared counts in full. 0 where it isn't told, or the process is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def of_children() -> dict[str, int]:
    """kB by pid of each child, whichever thread forked it."""
    pids: list[str] = []
    with suppress(OSError):
        for thread in os.listdir(_OURS):
            with suppress(OSError):  # it ended meanwhile
                pids += (_OURS / thread / "children").read_text().split()
    return {pid: resident_kb(pid) for pid in pids}
