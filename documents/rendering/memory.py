"""How much memory one paper may take: a bound on the worker's child, not on the machine."""

import re
import resource
from pathlib import Path

from django.conf import settings

_STATUS = Path("/proc/self/status")


def bound_memory() -> None:
    """Let this process allocate so much more than it holds now, as a warm child; 0: no bound.

    Python then raises MemoryError, and the paper fails alone. A C library that can't go on
    without memory ends the process instead, which counts as an attempt.
    """
    room = settings.RENDER_MEMORY_MB * 1024 * 1024
    held = _held()
    if not room or held is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = held + room
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _held() -> int | None:
    """The bytes that RLIMIT_DATA counts, in this process now; None where Linux doesn't tell."""
    try:
        found = re.search(r"^VmData:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except FileNotFoundError:
        return None
    return int(found[1]) * 1024 if found else None
