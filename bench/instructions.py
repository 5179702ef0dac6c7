"""Instructions of this process and of all that it starts from now on: no neighbour moves them.

Linux on x86-64, where perf events may be counted (`kernel.perf_event_paranoid` at 2 or below).
"""

import ctypes
import os
import platform
import struct
from collections.abc import Callable

_PERF_EVENT_OPEN = 298  # the system call's number on x86-64
_HARDWARE, _INSTRUCTIONS, _SIZE = 0, 1, 128
_INHERIT, _NO_KERNEL, _NO_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6


def counter() -> Callable[[], int] | None:
    """Call it before anything is started; None where they can't be counted."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return None
    event = bytearray(_SIZE)
    struct.pack_into("IIQ", event, 0, _HARDWARE, _SIZE, _INSTRUCTIONS)
    struct.pack_into("Q", event, 40, _INHERIT | _NO_KERNEL | _NO_HYPERVISOR)
    attributes = (ctypes.c_char * _SIZE).from_buffer(event)
    number = ctypes.CDLL(None).syscall(_PERF_EVENT_OPEN, attributes, 0, -1, -1, 0)
    if number < 0:
        return None
    return lambda: int.from_bytes(os.read(number, 8), "little")
