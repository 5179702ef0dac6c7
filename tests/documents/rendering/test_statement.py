"""What a printed statement says, and how it falls on its pages."""

import io
import re
import subprocess
from itertools import pairwise

import pikepdf
import pytest

from documents.rendering import Asset
from tests.documents.rendering.samples import (
    closing_at,
    pages_of,
    png,
    printed,
    statement,
    text_of,
)


def test_a_statement_says_who_when_and_how_much():
    text = text_of(printed(statement(3)).content)
    for words in (
        "Northgate Giftware Ltd",
        "GB 293 8471 22",
        "+44 113 496 0000",
        "Harbour & Hill Interiors",
        "27 Quayside Road",
        "C-17850",
        "1 Jan 2011 – 31 Jan 2011",
        "Opening balance 125.00",
        "INV-2011-00001",
        "Totals for the period 300.30 0.00",
        "31 Jan 2011 Closing balance 425.30",
        "Amount due £425.30",
        "IBAN GB29 NWBK 6016 1331 9268 19",
        "Page 1 of 1",
    ):
        assert words in text


def test_each_line_shows_its_date_type_reference_and_running_balance():
    text = text_of(printed(statement(4)).content)
    assert "1 Jan 2011 Invoice INV-2011-00000 Goods supplied 100.10 225.10" in text
    assert "23 Jan 2011 Payment PAY-2011-00003 Goods supplied 50.25 375.05" in text


def test_all_four_types_have_their_word():
    snapshot = statement(4)
    for line, kind in zip(
        snapshot["lines"], ("invoice", "payment", "return", "adjustment"), strict=True
    ):
        line[1] = kind
    text = text_of(printed(snapshot).content)
    assert all(word in text for word in ("Invoice", "Payment", "Return", "Adjustment"))


@pytest.mark.parametrize(
    ("closing", "words", "others"),
    [
        ("10.00", "Amount due £10.00", ("In your favour", "Nothing to pay", "Unapplied")),
        ("-10.00", "In your favour £10.00", ("Amount due", "Nothing to pay")),
        ("0.00", "Nothing to pay £0.00", ("Amount due", "In your favour", "Unapplied")),
        ("-0.00", "Nothing to pay £0.00", ("Amount due", "In your favour", "Unapplied")),
    ],
)
def test_the_closing_balance_says_who_owes_whom(closing, words, others):
    text = text_of(printed(closing_at(closing)).content)
    assert text.count(words) == 2
    assert not any(other in text for other in others)


def test_a_credit_in_hand_has_its_column_in_the_ageing():
    text = text_of(printed(closing_at("-10.00")).content)
    assert "Unapplied credit Total" in text
    assert "0.00 0.00 0.00 0.00 0.00 -10.00 -10.00" in text


def test_a_statement_without_lines_says_so():
    paper = printed(statement(0))
    assert paper.pages == 1
    assert "No transactions in this period" in text_of(paper.content)


def test_one_line_fits_one_page():
    assert printed(statement(1)).pages == 1


def test_a_long_statement_repeats_its_head_and_counts_its_pages():
    paper = printed(statement(300))
    pages = pages_of(paper.content)
    assert len(pages) == paper.pages == 8
    for number, page in enumerate(pages, start=1):
        assert re.search(r"Date +Type +Reference +Description +Debit +Credit +Balance", page)
        assert f"Page {number} of 8" in page
    assert sum(page.count("INV-2011-") + page.count("PAY-2011-") for page in pages) == 300


def test_later_pages_name_the_company_and_the_account():
    first, *later = pages_of(printed(statement(80)).content)
    assert "Northgate Giftware Ltd · Statement of account · C-17850" not in " ".join(first.split())
    for page in later:
        assert "Northgate Giftware Ltd · Statement of account · C-17850" in " ".join(page.split())


@pytest.mark.parametrize("size", ["A4", "Letter"])
@pytest.mark.parametrize("lines", range(16, 68, 3))
def test_the_totals_are_never_alone_on_a_page(lines, size):
    *_, last = pages_of(printed(statement(lines, page_size=size)).content)
    assert "Totals for the period" in last
    assert "Closing balance" in last
    assert "Age of the balance" in last
    assert "INV-2011-" in last or "PAY-2011-" in last


@pytest.mark.parametrize(("size", "points"), [("A4", (595, 842)), ("Letter", (612, 792))])
def test_every_page_has_the_size_asked_for(size, points):
    with pikepdf.open(io.BytesIO(printed(statement(60, page_size=size)).content)) as pdf:
        boxes = {tuple(round(float(side)) for side in page.mediabox[2:]) for page in pdf.pages}
    assert boxes == {points}


def test_the_pdf_has_title_author_and_language_and_no_date():
    with pikepdf.open(io.BytesIO(printed(statement(1)).content)) as pdf:
        assert str(pdf.docinfo["/Title"]) == "Statement of account C-17850 · 31 Jan 2011"
        assert str(pdf.docinfo["/Author"]) == "Northgate Giftware Ltd"
        assert str(pdf.docinfo["/Subject"]) == "Harbour & Hill Interiors"
        assert str(pdf.Root["/Lang"]) == "en-GB"
        assert "/CreationDate" not in pdf.docinfo


def test_the_logo_is_drawn_and_the_name_still_written():
    snapshot = statement(1)
    snapshot["company"]["logo"] = {"sha256": "abc", "media_type": "image/png"}
    paper = printed(snapshot, {"abc": Asset("image/png", png())})
    with pikepdf.open(io.BytesIO(paper.content)) as pdf:
        assert len(pdf.pages[0].get_images()) == 1
    assert "Northgate Giftware Ltd" in text_of(paper.content)


def test_a_company_and_party_with_nothing_but_names_print_no_empty_labels():
    bare = {"address_lines": [], "country": "", "tax_id": "", "email": "", "phone": ""}
    company = {**bare, "legal_name": "N", "payment_details": [], "logo": None}
    paper = printed(statement(1, company=company, party={**bare, "code": "P-1", "name": "Q"}))
    text = text_of(paper.content)
    assert "ax ID" not in text
    assert "Payment details" not in text


def test_a_foreign_party_has_its_country_named():
    snapshot = statement(1)
    snapshot["party"]["country"] = "DE"
    assert "Germany" in text_of(printed(snapshot).content)


def test_right_to_left_paper_runs_from_the_right():
    page = pages_of(printed(statement(2, locale="ar", currency="SAR")).content)[0]
    assert re.search(r"Balance +Credit +Debit +Description +Reference +Type +Date", page)
    assert "INV-2011-00001" in page


@pytest.mark.parametrize(
    ("locale", "currency", "amount"),
    [
        ("en_IN", "INR", "1234567890123.45"),
        ("de", "EUR", "1234567890.12"),
        ("id", "IDR", "98765432109.00"),
        ("fr_CH", "CHF", "123456789.05"),
    ],
)
def test_vast_amounts_stay_inside_the_page_and_apart(locale, currency, amount):
    snapshot = statement(3, locale=locale, currency=currency, closing=amount)
    snapshot["totals"] = {"debit": amount, "credit": amount}
    snapshot["ageing"].update(over_90=amount, unapplied=f"-{amount}", total=amount)
    boxes = word_boxes(printed(snapshot).content)
    assert max(right for _, right, _ in boxes) <= 595 - 42
    for line in {top for *_, top in boxes}:
        row = sorted((left, right) for left, right, top in boxes if top == line)
        assert all(one[1] <= other[0] for one, other in pairwise(row))


def word_boxes(content: bytes) -> list[tuple[float, float, float]]:
    """Left, right and top of each word, in points."""
    run = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=content, capture_output=True, check=True
    )
    pattern = r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)"'
    found = re.findall(pattern, run.stdout.decode())
    return [(float(left), float(right), float(top)) for left, top, right in found]
