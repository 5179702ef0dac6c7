"""What nobody should type: a clear error, or stored and shown unchanged; never a 500."""

import pytest

from billing.models import Invoice
from tests.billing.pages.typed import invoice as typed
from tests.billing.pages.typed import line

CREATE = "/billing/invoices/create/"
NUMBERS = [
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "1e308",
    "1E5",
    "-0",
    "-1",
    "1,00",
    "1.234,56",
    "1_000",
    "١٢",
    "१२",
    "0x10",
    "1\u202e2",
    "🙂",
    "9" * 200_000,
    "<script>alert(1)</script>",
    "1;DROP TABLE billing_invoice",
]
FIELDS = ["quantity", "unit_price", "discount_percent", "discount_amount", "tax_rate"]
HEADER = ["discount_percent", "discount_amount", "shipping", "shipping_tax_rate"]
TEXTS = [
    "\u202eexe.fdp",
    "🙂👩‍👩‍👧‍👦",
    "<script>alert(1)</script>",
    "{{ 7|add:1 }}",
    "' OR 1=1 --",
    "=cmd|' /C calc'!A1",
    "a\u0301 e\u200b ﷽",
    "عربي ١٢",
]


def refused(response) -> str:
    assert response.status_code == 200
    assert Invoice.objects.count() == 0
    body = response.content.decode()
    assert "to put right. Nothing was saved." in body
    assert "<script>alert" not in body
    return body


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: ascii(text)[:20])
def test_a_lines_number_is_refused_beside_its_field(clerk, party, field, number):
    body = refused(clerk.post(CREATE, typed(party, line(**{field: number}))))
    assert f'id="id_items-0-{field}-errors"' in body


@pytest.mark.parametrize("field", HEADER)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: ascii(text)[:20])
def test_a_headers_number_is_refused_beside_its_field(clerk, party, field, number):
    body = refused(clerk.post(CREATE, typed(party, **{field: number})))
    assert f'id="id_{field}-errors"' in body


@pytest.mark.parametrize("number", [*NUMBERS, "0.005", "\0"], ids=lambda text: ascii(text)[:20])
def test_the_live_totals_survive_every_number(clerk, party, number):
    for data in (
        typed(party, line(**dict.fromkeys(FIELDS, number))),
        typed(party, **dict.fromkeys([*HEADER, "invoice_date", "party"], number)),
    ):
        assert clerk.post("/billing/invoices/compute/", data).status_code == 200


@pytest.mark.parametrize("field", ["discount_amount", "shipping"])
def test_half_a_penny_is_no_amount(clerk, party, field):
    body = refused(clerk.post(CREATE, typed(party, **{field: "0.005"})))
    assert "GBP has no such fraction as in 0.005." in body


def test_half_a_penny_is_a_price(clerk, party):
    clerk.post(CREATE, typed(party, line(quantity="3", unit_price="0.005", tax_rate="0")))
    assert str(Invoice.objects.get().total) == "0.020"


@pytest.mark.parametrize("day", ["2026-02-30", "31/12/2026", "0001-01-01", "9999-12-31", "\0", "x"])
def test_a_day_that_is_none_is_refused(clerk, party, day):
    body = refused(clerk.post(CREATE, typed(party, invoice_date=day)))
    assert 'id="id_invoice_date-errors"' in body


@pytest.mark.parametrize("value", ["x", "\0", "1", "00000000-0000-0000-0000-000000000000"])
def test_a_party_that_is_none_is_refused(clerk, party, value):
    body = refused(clerk.post(CREATE, typed(None, party=value)))
    assert "There is no such party." in body


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_texts_are_stored_and_shown_unchanged(clerk, party, text):
    data = typed(
        party, line(description=text, sku=text, unit=text[:20]), notes=text, reference=text
    )
    response = clerk.post(CREATE, data, follow=True)
    made = Invoice.objects.get()
    item = made.items.get()
    assert (made.notes, made.reference, item.description, item.sku) == (text,) * 4
    body = response.content.decode()
    assert "<script>alert" not in body
    assert "{{ 7|add:1 }}" in body if "{{" in text else "&lt;script&gt;" in body or "<" not in text


@pytest.mark.parametrize("field", ["notes", "terms", "reference"])
@pytest.mark.parametrize("text", ["a\0b", "w" * 200_000], ids=["NUL", "200 KB"])
def test_what_no_text_can_be_is_refused_beside_its_field(clerk, party, field, text):
    body = refused(clerk.post(CREATE, typed(party, **{field: text})))
    assert f'id="id_{field}-errors"' in body


@pytest.mark.parametrize("field", ["description", "sku", "unit"])
@pytest.mark.parametrize("text", ["a\0b", "w" * 200_000], ids=["NUL", "200 KB"])
def test_what_no_text_of_a_line_can_be_is_refused_beside_its_field(clerk, party, field, text):
    body = refused(clerk.post(CREATE, typed(party, line(**{field: text}))))
    assert f'id="id_items-0-{field}-errors"' in body


@pytest.mark.parametrize("text", [*NUMBERS, *TEXTS, "\0"], ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("part", ["", "totals/", "export/"])
def test_no_filter_breaks_the_list(clerk, party, part, text):
    names = ["q", "party", "state", "since", "until", "least", "most", "overdue", "sort"]
    for name in [*names, "after", "before"]:
        response = clerk.get(f"/billing/invoices/{part}", {name: text})
        assert response.status_code == 200, name
        body = b"".join(response).decode() if response.streaming else response.content.decode()
        assert "<script>alert" not in body


@pytest.mark.parametrize("text", [*TEXTS, "\0", "w" * 10_000], ids=lambda text: ascii(text)[:20])
def test_no_text_breaks_the_party_picker(clerk, party, text):
    assert clerk.get("/billing/parties/options/", {"q": text}).status_code == 200


@pytest.mark.parametrize("total", ["-1", "99999999999999999999", "x", "\0", ""])
def test_no_count_of_lines_breaks_the_form(clerk, party, total):
    data = typed(party) | {"items-TOTAL_FORMS": total}
    assert clerk.post(CREATE, data).status_code == 200
    assert Invoice.objects.count() == 0
