"""What the papers of records say, and how they fall on their pages."""

import io
import re
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pikepdf
import pytest

from tests.billing.paper_samples import (
    NOON,
    SNAPSHOTS,
    bare,
    challan_snapshot,
    company,
    party,
    printed,
    receipt_snapshot,
)
from tests.documents.rendering.samples import pages_of, text_of
from tests.documents.rendering.test_statement import word_boxes

D = Decimal
KINDS = list(SNAPSHOTS)


def text(kind, *args, **options):
    return text_of(printed(kind, *args, **options).content)


def marked(content, word):
    """Whether each page bears the word across it. Its letters are turned: they come one by one."""
    pages = [re.sub(r"\s", "", page) for page in pages_of(content, "-raw")]
    return all(word in page for page in pages)


def net_amounts(page):
    """The amounts at the ends of a page's rows."""
    rows = re.findall(r"^ *\d+ +HV-.* ([\d,]+\.\d\d)$", page, re.M)
    return [D(amount.replace(",", "")) for amount in rows]


GERMAN = {
    "invoice": ("Rechnung", "Rechnungsnummer", "Einzelpreis", "In Worten: Einhundert"),
    "payment_receipt": ("Quittung", "Zahlungsart", "Dankend erhalten.", "In Worten: Einhundert"),
    "return_receipt": ("Gutschrift", "Grund: Broken", "Rückgabe", "In Worten:"),
    "challan": ("Lieferschein", "Lieferort", "Fahrer", "Einwandfrei erhalten"),
}


class TestInvoice:
    def test_it_says_who_what_how_much_and_when(self):
        said = text("invoice", 3, reference="PO 4711", terms="Net 30.", notes="Thank you.")
        for words in (
            "Northgate Giftware Ltd",
            "Harbour & Hill Interiors",
            "INV-2026-00042",
            "10 Mar 2026",
            "9 Apr 2026",
            "PO 4711",
            "HV-1014",
            "Enamel jug, 1.5 l, white",
            "11.90",
            "Subtotal 130.15",
            "Tax 26.03",
            "Total 156.18",
            "Amount due £156.18",
            "IBAN GB29 NWBK",
            "Net 30.",
            "Thank you.",
        ):
            assert words in said

    def test_tax_stands_by_rate_on_its_net(self):
        said = text("invoice", 4)
        assert "5% 1.34 0.07" in said
        assert "20% 130.15 26.03" in said

    def test_discounts_shipping_and_what_was_paid_are_named_where_there_are_any(self):
        said = text(
            "invoice",
            1,
            each={"discount_percent": D("10"), "discount_amount": D("0.15")},
            discount_percent=D(5),
            shipping=D(3),
            paid=D(2),
            returned=D(1),
        )
        for words in ("10% + 0.15", "Discount 5% -0.19", "Shipping 3.00", "Paid -2.00"):
            assert words in said
        assert "Credited -1.00" in said
        plain = text("invoice", 1)
        assert not any(word in plain for word in ("Discount", "Shipping", "Paid", "Credited"))

    def test_the_rounding_of_the_total_is_shown(self):
        said = text("invoice", 3, rounding_step=D("0.05"))
        assert "Rounding 0.02" in said
        assert "Total 156.20" in said

    def test_a_settled_invoice_asks_for_nothing(self):
        said = text("invoice", 3, paid=D("156.18"))
        assert "Nothing to pay £0.00" in said
        assert "Amount due" not in said

    def test_a_draft_says_so_large_and_has_no_number(self):
        paper = printed("invoice", 2, state="draft", invoice_number="")
        said = text_of(paper.content)
        assert marked(paper.content, "DRAFT")
        assert "Draft invoice" in said
        assert "Invoice number" not in said
        assert "Amount due" not in said

    def test_a_void_one_says_so_on_every_page_with_the_reason(self):
        paper = printed("invoice", 50, state="void", void_reason="Entered twice")
        assert paper.pages > 1
        assert marked(paper.content, "VOID")
        assert "Void: Entered twice" in text_of(paper.content)

    def test_an_issued_one_bears_no_mark(self):
        paper = printed("invoice", 2)
        assert not marked(paper.content, "VOID")
        assert not marked(paper.content, "DRAFT")

    def test_a_long_one_repeats_its_head_and_counts_its_pages(self):
        paper = printed("invoice", 60)
        pages = pages_of(paper.content)
        assert len(pages) == paper.pages > 1
        for number, page in enumerate(pages, start=1):
            assert re.search(r"SKU +Description +Quantity", page)
            assert f"Page {number} of {len(pages)}" in page
        assert "INV-2026-00042" in pages[1].split("SKU")[0]
        assert sum(len(re.findall(r"^ *\d+ +HV-", page, re.M)) for page in pages) == 60

    def test_what_the_pages_come_to_is_carried_from_one_to_the_next(self):
        first, *_, last = pages_of(printed("invoice", 60).content)
        carried = re.search(r"Carried forward ([\d,.]+)", first)[1]
        assert D(carried.replace(",", "")) == sum(net_amounts(first))
        assert "Brought forward" not in first
        assert "Brought forward" in last
        assert "Carried forward" not in last
        alone = text("invoice", 3)
        assert not any(word in alone for word in ("Carried forward", "Brought forward"))

    def test_the_total_is_said_in_words(self):
        said = text("invoice", 3)
        assert "In words: One hundred and fifty-six British pounds and eighteen pence" in said
        bengali = text("invoice", 3, party(company(locale="bn_BD", currency="BDT", country="BD")))
        assert "In words" not in bengali

    def test_later_pages_of_a_void_one_say_so_in_their_head(self):
        pages = pages_of(printed("invoice", 50, state="void", void_reason="Twice").content)
        assert re.search(r"INV-2026-00042 +· +Void", pages[-1])

    @pytest.mark.parametrize("lines", range(14, 34, 3))
    def test_the_total_is_never_alone_on_a_page(self, lines):
        *_, last = pages_of(printed("invoice", lines).content)
        assert ("Total" in last) == ("HV-" in last)

    def test_columns_that_hold_nothing_are_left_out(self):
        said = text("invoice", 2, each={"sku": "", "unit": "", "tax_rate": D(0)})
        assert "SKU" not in said
        assert "Unit price" in said
        assert "Tax amount" not in said

    def test_a_description_keeps_its_lines_and_its_length(self):
        words = " ".join(f"word{number}" for number in range(120))
        said = text("invoice", 1, each={"description": f"First line\r\nSecond line\n{words}"})
        assert "Second line" in said
        assert "word119" in said

    def test_prices_with_tax_say_so(self):
        said = text("invoice", 1, prices_include_tax=True, each={"unit_price": D(120)})
        assert "Prices include tax." in said
        assert "Tax, included 20.00" in said
        assert "Total 120.00" in said

    def test_prices_keep_their_four_decimals(self):
        assert "0.3355" in text("invoice", 1, each={"unit_price": D("0.3355")})

    @pytest.mark.parametrize(
        ("currency", "locale", "country", "amount"),
        [("JPY", "ja", "JP", "12,000"), ("BHD", "ar_BH", "BH", "12,000.000")],
    )
    def test_amounts_have_the_digits_of_their_currency(self, currency, locale, country, amount):
        of = party(company(currency=currency, locale=locale, country=country))
        assert amount in text("invoice", 1, of, each={"unit_price": D(10000)})

    @pytest.mark.parametrize("price", ["99999.99", "99999999.99", "9999999999.9999"])
    def test_amounts_stay_inside_the_page_and_apart(self, price):
        off = {"discount_percent": D("12.5"), "discount_amount": D("0.25")}
        paper = printed("invoice", 2, each={"unit_price": D(price), **off})
        boxes = word_boxes(paper.content)
        assert max(right for _, right, _ in boxes) <= 595 - 42
        for line in {top for *_, top in boxes}:
            row = sorted((left, right) for left, right, top in boxes if top == line)
            assert all(one[1] <= other[0] for one, other in pairwise(row))


class TestReceipt:
    def test_without_an_invoice_it_is_a_general_payment(self):
        said = text("payment_receipt")
        assert "General Payment" in said
        assert "On account, not applied to an invoice yet 100.00" in said
        assert "Received £100.00" in said

    def test_it_names_what_it_was_applied_to_and_what_is_left(self):
        said = text("payment_receipt", ("60", "25.5"), reference="BACS 8812", method="cheque")
        assert "Invoice INV-2026-00001 10 Mar 2026 120.00 60.00" in said
        assert "25.50" in said
        assert "14.50" in said
        assert "Cheque" in said
        assert "BACS 8812" in said

    def test_against_one_invoice_it_is_no_general_payment(self):
        said = text("payment_receipt", ("100",))
        assert "General Payment" not in said
        assert "On account" not in said

    def test_a_voided_one_says_so(self):
        paper = printed("payment_receipt", voided_at=NOON, void_reason="Cheque bounced")
        said = text_of(paper.content)
        assert marked(paper.content, "VOID")
        assert "Void: Cheque bounced" in said
        assert "with thanks" not in said


class TestCreditNote:
    def test_it_says_what_came_back_why_and_what_it_is_credited_to(self):
        said = text("return_receipt", 2, credited="30")
        for words in (
            "Credit note",
            "RET-2026-00003",
            "For invoice INV-2026-00042",
            "Reason: Broken in transit",
            "Enamel jug, 1.5 l, white 2 11.90",
            "Credited 39.00",
            "to invoice INV-2026-00042 30.00",
            "on account 9.00",
        ):
            assert words in said

    def test_a_deleted_one_is_void(self):
        assert marked(printed("return_receipt", is_active=False).content, "VOID")

    def test_without_an_invoice_it_is_all_on_account(self):
        said = text("return_receipt")
        assert "For invoice" not in said
        assert "on account 39.00" in said


class TestChallan:
    def test_it_names_the_goods_and_the_way_and_has_lines_to_sign(self):
        said = text("challan", notes="Ring the bell.")
        for words in (
            "Delivery challan",
            "CH-2026-00011",
            "Loading bay 3",
            "YK19 ABC",
            "Sam Weller",
            "Enamel jug, 1.5 l, white 12.5 pcs",
            "Ring the bell.",
            "Dispatched by",
            "Received in good order",
        ):
            assert words in said

    def test_no_price_is_on_it_and_none_in_its_facts(self):
        assert "98,765" not in text("challan")
        assert "98765" not in str(challan_snapshot())
        assert not {"£", "GBP", "Amount", "Total"} & set(text("challan").split())

    def test_a_cancelled_one_says_so(self):
        paper = printed("challan", state="cancelled", cancel_reason="Lorry broke down")
        assert marked(paper.content, "CANCELLED")
        assert "Cancelled: Lorry broke down" in text_of(paper.content)

    def test_that_it_was_invoiced_changes_nothing_on_it(self):
        delivered = date(2026, 3, 11)
        one = challan_snapshot(state="delivered", delivered_on=delivered)
        assert challan_snapshot(state="invoiced", delivered_on=delivered) == one


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_missing_facts_leave_no_empty_labels(self, kind):
        said = text(kind, of=bare())
        assert "Somebody" in said
        assert not any(label in said for label in ("Tax ID", "tax ID", "Payment details", "None"))

    def test_it_runs_from_the_right_in_arabic(self, kind):
        of = party(company(locale="ar_BH", currency="BHD", country="BH"), name="متجر الواحة")
        assert printed(kind, of=of).pages == 1

    @pytest.mark.parametrize(("country", "points"), [("GB", (595, 842)), ("US", (612, 792))])
    def test_the_company_country_decides_the_paper_size(self, kind, country, points):
        of = party(company(country=country))
        with pikepdf.open(io.BytesIO(printed(kind, of=of).content)) as pdf:
            boxes = {tuple(round(float(side)) for side in page.mediabox[2:]) for page in pdf.pages}
        assert boxes == {points}

    def test_markup_in_names_is_text(self, kind):
        of = party(name="<script>alert(1)</script> & Söhne")
        assert "<script>alert(1)</script> & Söhne" in text(kind, of=of)

    def test_it_speaks_its_partys_language(self, kind):
        of = party(company(currency="EUR"), locale="de_AT")
        said = text(kind, of=of)
        assert all(word in said for word in GERMAN[kind])
        assert not any(word in said for word in ("Account", "Currency", "Description", "Page 1"))

    def test_the_same_facts_are_the_same_bytes(self, kind):
        assert printed(kind).content == printed(kind).content


def test_a_general_payment_stays_one_when_it_is_applied_later():
    assert receipt_snapshot()["is_general"]
    assert receipt_snapshot(("40", "60"))["is_general"]
