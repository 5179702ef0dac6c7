"""The first page of each kind of paper and a sheet of each script, held against approved pictures.

A change that is meant is looked at and approved anew, all pictures or those that are named:

    PRESSROOM_APPROVE=1 .venv/bin/pytest tests/documents/rendering/test_pictures.py -k invoice

then look at what `git diff` says changed in tests/documents/rendering/approved. A picture that
differs without being meant to is written beside its approved one's name to pytest's folder.
"""

import os
from collections.abc import Callable

import pytest
from PIL import ImageDraw

from documents.rendering import Rendered, render_paper
from tests.billing.paper_samples import SNAPSHOTS, company, invoice_snapshot, party
from tests.documents.rendering.pages import (
    TOLERANCE,
    approve,
    approved,
    difference,
    picture_of,
)
from tests.documents.rendering.samples import drawn_glyphs, printed, statement
from tests.documents.rendering.sheets import SCRIPTS, covering_list, sheet

FINGERPRINT = "a5" * 32
PAY = "https://pay.example/?ref={number}"


def paper(template: str, snapshot: dict[str, object]) -> Rendered:
    return render_paper(
        template=f"pdf/{template}.html", snapshot=snapshot, assets={}, fingerprint=FINGERPRINT
    )


def german() -> dict[str, object]:
    return invoice_snapshot(4, party(company(locale="de_DE", currency="EUR", country="DE")))


def american() -> dict[str, object]:
    of = party(company(locale="en_US", currency="USD", country="US", payment_url_pattern=PAY))
    return invoice_snapshot(40, of, terms="Net 30.")


def arabic() -> dict[str, object]:
    of = party(company(locale="ar_BH", currency="BHD", country="BH"), name="متجر الواحة")
    return invoice_snapshot(4, of)


PAPERS: dict[str, Callable[[], Rendered]] = {
    "invoice": lambda: paper("invoice", SNAPSHOTS["invoice"](6, terms="Net 30.", reference="PO 1")),
    "invoice-german": lambda: paper("invoice", german()),
    "invoice-letter": lambda: paper("invoice", american()),
    "invoice-arabic": lambda: paper("invoice", arabic()),
    "invoice-draft": lambda: paper(
        "invoice", SNAPSHOTS["invoice"](3, state="draft", invoice_number="")
    ),
    "payment-receipt": lambda: paper("payment_receipt", SNAPSHOTS["payment_receipt"](("60", "25"))),
    "return-receipt": lambda: paper("return_receipt", SNAPSHOTS["return_receipt"](3, credited="9")),
    "challan-cancelled": lambda: paper(
        "challan", SNAPSHOTS["challan"](5, state="cancelled", cancel_reason="Lorry broke down")
    ),
    "statement": lambda: paper("statement", statement(60, links={"verify": "https://p.example/"})),
    "covering-list": lambda: paper("batch_list", covering_list(70)),
    **{f"script-{name}": lambda name=name: sheet(name) for name in SCRIPTS},
}


@pytest.mark.parametrize("name", PAPERS)
def test_a_page_looks_as_it_was_approved(name, tmp_path):
    picture = picture_of(PAPERS[name]().content)
    if os.environ.get("PRESSROOM_APPROVE"):
        approve(picture, name)
    found = difference(picture, approved(name))
    if found.share > TOLERANCE:
        picture.save(tmp_path / f"{name}.png")
        pytest.fail(f"{name}: {found.words}. What it is now: {tmp_path / name}.png")


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_is_printed_as_boxes(script):
    glyphs = [glyph for _, glyph in drawn_glyphs(sheet(script).content)]
    assert len(glyphs) > 20
    assert 0 not in glyphs


class TestTheComparison:
    """That it would find what it is there to find."""

    def test_a_page_is_as_it_was_when_it_is_made_again(self):
        one, other = (picture_of(printed(statement(3)).content) for _ in range(2))
        assert difference(one, other).share == 0

    def test_a_box_is_found_and_said_where_it_is(self):
        was = picture_of(printed(statement(3)).content)
        now = was.copy()
        ImageDraw.Draw(now).rectangle((100, 100, 125, 125), outline=0)
        found = difference(now, was)
        assert found.share > TOLERANCE
        assert "between (100, 100) and (126, 126)" in found.words

    def test_another_colour_of_a_row_is_found(self):
        snapshot = statement(3)
        was = picture_of(printed(snapshot).content)
        shaded = was.copy()
        ImageDraw.Draw(shaded).rectangle((50, 300, 400, 310), fill=160)
        assert difference(shaded, was).share > TOLERANCE

    def test_another_currency_is_found(self):
        one = picture_of(printed(statement(30)).content)
        other = picture_of(printed(statement(30, currency="JPY")).content)
        assert difference(one, other).share > TOLERANCE

    def test_a_page_of_another_size_is_found(self):
        one = picture_of(printed(statement(1)).content)
        other = picture_of(printed(statement(1, page_size="Letter")).content)
        assert difference(one, other) == (
            1000,
            f"the page is {one.size} dots large and was {other.size}",
        )
