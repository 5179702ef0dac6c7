"""The code by which anyone who holds a paper can ask whether it is the one that was made."""

import base64
import binascii
import logging
import subprocess
import sys
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

LENGTH = 52
_READER = Path(__file__).with_name("pdf_fingerprint.py")
_MOST_SECONDS = 10


def code_of(fingerprint: str) -> str:
    """`fingerprint`, 64 hexadecimal digits, as 52 letters and digits of base32."""
    return base64.b32encode(bytes.fromhex(fingerprint)).decode().rstrip("=")


def fingerprint_of(code: str) -> str:
    """What `code_of` was given; ValueError for what is no such code.

    Small letters, spaces and hyphens are forgiven: people type it from paper.
    """
    letters = "".join(code.split()).replace("-", "").upper()
    if len(letters) != LENGTH or not letters.isascii():
        raise ValueError(f"A code has {LENGTH} letters and digits.")
    try:
        fingerprint = base64.b32decode(letters + "====").hex()
    except binascii.Error as error:
        raise ValueError("A code has the letters A to Z and the digits 2 to 7.") from error
    if code_of(fingerprint) != letters:
        raise ValueError("The last letter of the code is wrong.")
    return fingerprint


def fingerprint_named_in(file: IO[bytes]) -> str:
    """The fingerprint that a PDF says it has; empty if it says none or can't be read.

    A process of its own reads it, with bounds: the file may be made to do harm.
    """
    try:
        reader = subprocess.run(
            [sys.executable, "-I", str(_READER)],
            stdin=file,
            capture_output=True,
            timeout=_MOST_SECONDS,
            check=True,
            text=True,
        )
    except (subprocess.SubprocessError, OSError, UnicodeDecodeError) as error:
        log.info("A file that was given to be verified can't be read: %s", error)
        return ""
    return reader.stdout
