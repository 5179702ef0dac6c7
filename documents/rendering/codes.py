"""What leads from a paper to a page: the address that verifies it, and one address as a QR code."""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import segno
from PIL import Image

from documents.rendering.types import Asset
from documents.verification import code_of

QR = "qr"
# So many dots a module: printers and viewers then keep its edges sharp.
SCALE = 8
# One of the eight patterns that a code may be overlaid with, the same each time. Readers take any;
# to weigh all eight against each other costs as much as a tenth of an invoice, and codes as short
# as ours were read no more often for it.
MASK = 4


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
    """`text` as a grey picture without a margin of its own. The same text gives the same bytes.

    Grey, since WeasyPrint takes it as it is, and would make colours of black and white.
    """
    rows = segno.make_qr(text, error="m", mask=MASK).matrix
    size = len(rows)
    grey = bytes(0 if is_dark else 255 for row in rows for is_dark in row)
    modules = Image.frombytes("L", (size, size), grey)
    file = io.BytesIO()
    modules.resize((size * SCALE, size * SCALE), Image.Resampling.NEAREST).save(file, "PNG")
    return Asset("image/png", file.getvalue())
