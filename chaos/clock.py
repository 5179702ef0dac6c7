"""A process whose clock is wrong: libfaketime, where it is installed (Debian: `faketime`)."""

from pathlib import Path

_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


def libfaketime() -> Path | None:
    for place in _PLACES:
        for found in sorted(Path("/").glob(place.lstrip("/"))):
            return found
    return None


def shifted(hours: float) -> dict[str, str]:
    """The environment of a process whose clock is `hours` ahead."""
    return {
        "LD_PRELOAD": str(libfaketime()),
        "FAKETIME": f"{hours:+}h",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
