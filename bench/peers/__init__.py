"""Other ways to a PDF of the same content, as somebody would use them who has not tuned anything.

Each is a context manager that yields `print_it(content) -> bytes`, with what may stay warm kept
warm; `Missing` says why one is not here. They are installed by `make bench` beside the product.
"""

import io
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import segno

from bench.content import Content

# Not among the product's own requirements.
_PACKAGES = Path(sys.prefix) / "bench-peers"
if _PACKAGES.is_dir() and str(_PACKAGES) not in sys.path:
    sys.path.append(str(_PACKAGES))

PrintIt = Callable[[Content], bytes]
Peer = AbstractContextManager[PrintIt]


class Missing(Exception):
    """This peer is not installed here."""


def qr_png(text: str) -> bytes:
    """As the library's documentation begins."""
    file = io.BytesIO()
    segno.make_qr(text).save(file, kind="png", scale=8, border=0)
    return file.getvalue()
