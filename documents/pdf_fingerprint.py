"""A program of its own: the fingerprint that a PDF on its standard input names, if it names one.

Run apart from the web process, with little memory and time: a file that anybody may upload may be
made to use up both. It imports nothing of ours.
"""

import re
import resource
import sys

import pikepdf

# As documents.rendering writes it.
KEY = "/PressroomFingerprint"
MOST_MEMORY = 512 * 1024 * 1024
MOST_SECONDS = 5
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def main() -> int:
    limit()
    with pikepdf.open(sys.stdin.buffer, suppress_warnings=True) as pdf:
        text = _named_by(pdf)
    if _FINGERPRINT.fullmatch(text):
        sys.stdout.write(text)
    return 0


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _named_by(pdf: pikepdf.Pdf) -> str:
    info = pdf.trailer.get("/Info")
    if isinstance(info, pikepdf.Dictionary) and KEY in info:
        return str(info[KEY])
    # A file that was cut off has lost its trailer, perhaps not its facts.
    for found in pdf.objects:
        if isinstance(found, pikepdf.Dictionary) and KEY in found:
            return str(found[KEY])
    return ""


if __name__ == "__main__":
    sys.exit(main())
