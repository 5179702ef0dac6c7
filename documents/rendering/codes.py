"""What leads from a paper to a page: the address that verifies it, and one address as a QR code."""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import segno

from documents.rendering.types import Asset
from documents.verification import code_of

QR = "qr"
# So many dots a module: printers and viewers then keep its edges sharp.
SCALE = 8


class Links(NamedTuple):
    """`verify` is printed; `scan` is what the QR code holds, and `pays` whether one pays there."""

    verify: str = ""
    scan: str = ""
    pays: bool = False


def links_of(snapshot: Mapping[str, Any], fingerprint: str) -> Links:
    """None without a fingerprint: a preview is no paper that can be verified."""
    links = snapshot.get("links")
    if not links or not fingerprint:
        return Links()
    verify = links["verify"] + code_of(fingerprint)
    pay = links.get("pay", "")
    return Links(verify, pay or verify, bool(pay))


def qr_code(text: str) -> Asset:
    """`text` as a picture without a margin of its own. The same text gives the same bytes."""
    file = io.BytesIO()
    segno.make_qr(text, error="m").save(file, kind="png", scale=SCALE, border=0)
    return Asset("image/png", file.getvalue())
