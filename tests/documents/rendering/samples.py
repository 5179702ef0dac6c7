"""Snapshots to print, and what a finished PDF says and draws."""

import copy
import io
import re
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pikepdf
from fontTools.ttLib import TTFont
from PIL import Image

from documents.rendering import Asset, Rendered, render_paper

STATEMENT = "pdf/statement.html"

COMPANY = {
    "legal_name": "Northgate Giftware Ltd",
    "address_lines": ["Unit 4, Canal Wharf", "18 Brewery Lane", "Leeds", "LS10 1NE"],
    "country": "GB",
    "tax_id": "GB 293 8471 22",
    "email": "accounts@northgate.example",
    "phone": "+44 113 496 0000",
    "payment_details": ["IBAN GB29 NWBK 6016 1331 9268 19", "Please quote your account code."],
    "logo": None,
}
PARTY = {
    "code": "C-17850",
    "name": "Harbour & Hill Interiors",
    "address_lines": ["The Old Foundry", "27 Quayside Road", "Bristol", "BS1 6UN"],
    "country": "GB",
    "tax_id": "GB 118 2201 09",
    "email": "ap@harbour.example",
}


def statement(lines: int = 2, **changes: Any) -> dict[str, Any]:
    """A reconciling statement of so many lines, invoices of 100.10 and a payment each fourth."""
    balance, debited, credited, rows = Decimal("125.00"), Decimal(0), Decimal(0), []
    for number in range(lines):
        payment = number % 4 == 3
        debit, credit = (
            (Decimal(0), Decimal("50.25")) if payment else (Decimal("100.10"), Decimal(0))
        )
        balance, debited, credited = balance + debit - credit, debited + debit, credited + credit
        kind, reference = ("payment", "PAY") if payment else ("invoice", "INV")
        day = f"2011-01-{number * 30 // max(lines, 1) + 1:02}"
        amounts = [str(debit or ""), str(credit or ""), str(balance)]
        rows.append([day, kind, f"{reference}-2011-{number:05}", "Goods supplied", *amounts])
    snapshot = {
        "schema": 1,
        "locale": "en_GB",
        "page_size": "A4",
        "currency": "GBP",
        "company": COMPANY,
        "party": PARTY,
        "period": {"start": "2011-01-01", "end": "2011-01-31"},
        "opening": "125.00",
        "lines": rows,
        "totals": {"debit": f"{debited:.2f}", "credit": f"{credited:.2f}"},
        "closing": str(balance),
        "ageing": {
            "not_due": str(balance),
            "days_1_30": "0.00",
            "days_31_60": "0.00",
            "days_61_90": "0.00",
            "over_90": "0.00",
            "unapplied": "0.00",
            "total": str(balance),
        },
    }
    return copy.deepcopy({**snapshot, **changes})


def closing_at(closing: str) -> dict[str, Any]:
    """A statement without lines that closes as it opens, with a credit as unapplied."""
    nothing = dict.fromkeys(("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90"), "0.00")
    unapplied = closing if closing.startswith("-") else "0.00"
    ageing = {**nothing, "over_90": "0.00" if unapplied != "0.00" else closing}
    return statement(
        0,
        opening=closing,
        closing=closing,
        ageing={**ageing, "unapplied": unapplied, "total": closing},
    )


def printed(snapshot: dict[str, Any], assets: dict[str, Asset] | None = None) -> Rendered:
    return render_paper(template=STATEMENT, snapshot=snapshot, assets=assets or {})


def pages_of(content: bytes, order: str = "-layout") -> list[str]:
    """The text of each page, line by line, or with `-raw` cell by cell."""
    command = ["pdftotext", order, "-", "-"]
    run = subprocess.run(command, input=content, capture_output=True, check=True)
    return run.stdout.decode().split("\f")[:-1]


def text_of(content: bytes, order: str = "-layout") -> str:
    """All text, white space and zero-width places to break taken together."""
    return re.sub(r"\s+", " ", "".join(pages_of(content, order)).replace("\u200b", ""))


def png(mode: str = "RGBA", size: tuple[int, int] = (60, 20)) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", size, "navy").convert(mode).save(file, "PNG")
    return file.getvalue()


def drawn_glyphs(content: bytes) -> Iterator[tuple[TTFont, int]]:
    """Each glyph drawn, with the embedded font that it is drawn from."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for page in pdf.pages:
            fonts = {name: _embedded(font) for name, font in page.obj.Resources.Font.items()}
            current = None
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    current = fonts[str(operands[0])]
                elif str(operator) in ("Tj", "TJ"):
                    items = operands[0] if str(operator) == "TJ" else operands
                    for item in items:
                        if isinstance(item, pikepdf.String):
                            yield from ((current, glyph) for glyph in _pairs(bytes(item)))


def _pairs(codes: bytes) -> Iterator[int]:
    yield from (int.from_bytes(codes[i : i + 2], "big") for i in range(0, len(codes), 2))


def _embedded(font: Any) -> TTFont:
    descriptor = font.DescendantFonts[0].FontDescriptor
    key = "/FontFile2" if "/FontFile2" in descriptor else "/FontFile3"
    return TTFont(io.BytesIO(descriptor[key].read_bytes()))
