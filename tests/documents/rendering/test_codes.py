"""What leads from a paper to a page: the printed address, the QR code, the PDF's own facts."""

import io
from decimal import Decimal

import pikepdf
import pytest
import segno
from PIL import Image

from documents.rendering import Rendered, render_paper
from documents.verification import code_of
from tests.billing.paper_samples import SNAPSHOTS, company, invoice_snapshot, party
from tests.documents.rendering.samples import statement, text_of

FINGERPRINT = "5e" * 32
VERIFY = f"http://localhost:8000/v/{code_of(FINGERPRINT)}"
PAY = "https://pay.example/?ref={number}&amount={amount}&in={currency}"


def made(snapshot, template="pdf/invoice.html", fingerprint=FINGERPRINT) -> Rendered:
    return render_paper(template=template, snapshot=snapshot, assets={}, fingerprint=fingerprint)


def payable(**changes):
    return invoice_snapshot(3, party(company(payment_url_pattern=PAY)), **changes)


def pictures_of(paper: Rendered) -> list[Image.Image]:
    with pikepdf.open(io.BytesIO(paper.content)) as pdf:
        found = [picture for page in pdf.pages for picture in page.get_images().values()]
        return [pikepdf.PdfImage(picture).as_pil_image().convert("L") for picture in found]


def holds(picture: Image.Image, text: str) -> bool:
    """Whether the picture is a QR code of `text`, with any of the eight masks there are."""
    return any(shows(picture, segno.make_qr(text, error="m", mask=mask)) for mask in range(8))


def shows(picture: Image.Image, code: segno.QRCode) -> bool:
    """Whether each module of the code is dark or light where the picture is."""
    step = picture.width / len(code.matrix)
    if picture.width != picture.height or step != int(step):
        return False
    return all(
        (picture.getpixel(((x + 0.5) * step // 1, (y + 0.5) * step // 1)) < 128) == bool(dark)
        for y, row in enumerate(code.matrix)
        for x, dark in enumerate(row)
    )


@pytest.mark.parametrize("kind", SNAPSHOTS)
def test_each_paper_says_where_it_is_verified(kind):
    assert VERIFY in text_of(made(SNAPSHOTS[kind](), f"pdf/{kind}.html").content)


def test_each_page_of_a_statement_says_where_it_is_verified():
    snapshot = statement(80, links={"verify": "https://pressroom.example/v/"})
    paper = made(snapshot, "pdf/statement.html")
    said = text_of(paper.content)
    assert said.count(f"https://pressroom.example/v/{code_of(FINGERPRINT)}") == paper.pages > 1


def test_the_qr_code_of_an_invoice_leads_to_its_verification():
    paper = made(invoice_snapshot())
    (picture,) = pictures_of(paper)
    assert holds(picture, VERIFY)
    assert not holds(picture, VERIFY[:-1] + "2")
    assert "Scan to verify" in text_of(paper.content)


def test_where_the_company_has_a_payment_link_the_qr_code_leads_there():
    paper = made(payable())
    (picture,) = pictures_of(paper)
    assert holds(picture, "https://pay.example/?ref=INV-2026-00042&amount=156.18&in=GBP")
    assert "Scan to pay" in text_of(paper.content)
    with pikepdf.open(io.BytesIO(paper.content)) as pdf:
        links = [str(link.A.URI) for page in pdf.pages for link in page.get("/Annots", [])]
    assert set(links) == {"https://pay.example/?ref=INV-2026-00042&amount=156.18&in=GBP"}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "draft", "invoice_number": ""},
        {"state": "void", "void_reason": "Entered twice"},
        {"paid": Decimal("156.18")},
    ],
)
def test_an_invoice_that_asks_for_no_money_has_no_payment_link(changes):
    snapshot = payable(**changes)
    assert "pay" not in snapshot["links"]
    assert holds(pictures_of(made(snapshot))[0], VERIFY)


def test_what_an_invoice_is_called_can_not_change_where_its_link_leads():
    link = payable(invoice_number="A/1&amount=0#?é")["links"]["pay"]
    assert link == "https://pay.example/?ref=A%2F1%26amount%3D0%23%3F%C3%A9&amount=156.18&in=GBP"


def test_the_fingerprint_is_among_the_facts_of_the_pdf():
    with pikepdf.open(io.BytesIO(made(invoice_snapshot()).content)) as pdf:
        assert str(pdf.docinfo["/PressroomFingerprint"]) == FINGERPRINT


def test_another_fingerprint_is_another_paper_and_the_same_is_the_same():
    snapshot = invoice_snapshot()
    assert made(snapshot).content == made(snapshot).content
    assert made(snapshot).content != made(snapshot, fingerprint="5f" * 32).content


def test_a_preview_has_no_fingerprint_and_no_code():
    paper = made(payable(), fingerprint="")
    assert pictures_of(paper) == []
    assert "Verify" not in text_of(paper.content)
    with pikepdf.open(io.BytesIO(paper.content)) as pdf:
        assert "/PressroomFingerprint" not in pdf.docinfo


def test_a_snapshot_from_before_there_were_links_is_still_printed():
    snapshot = invoice_snapshot()
    del snapshot["links"]
    assert "Verify" not in text_of(made(snapshot).content)
