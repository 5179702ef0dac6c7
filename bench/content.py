"""What a paper says, without its looks: the same words and figures for whoever prints them.

Made from the product's own snapshot; amounts and dates written as the product's templates do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from documents.formatting import amount, date
from documents.rendering.codes import Links
from documents.rendering.words import amount_in_words

Row = list[str]
_ASK_FOR_MONEY = ("invoice", "statement")


@dataclass(frozen=True)
class Content:
    title: str
    sender: list[str]
    recipient: list[str]
    facts: list[tuple[str, str]]
    columns: Row
    numeric: frozenset[int]  # columns that end flush right
    rows: list[Row]
    sums: list[tuple[str, str]]
    more: list[Row] = field(default_factory=list)  # a small table: of tax rates, or of ages
    texts: list[str] = field(default_factory=list)
    code: str = ""  # what a QR code on it holds
    foot: str = ""
    logo: bytes = b""  # a PNG


def content_of(kind: str, snapshot: Mapping[str, Any], links: Links, logo: bytes) -> Content:
    company, party = snapshot["company"], snapshot["party"]
    contact = (company["phone"], company["email"], f"Tax ID {company['tax_id']}")
    body = _BODIES[kind](snapshot)
    pays = ["Payment details", *company["payment_details"]] if kind in _ASK_FOR_MONEY else []
    return Content(
        sender=[company["legal_name"], *company["address_lines"], "United Kingdom", *contact],
        recipient=[party["name"], *party["address_lines"]],
        texts=[*body.pop("texts", []), *pays],
        code="" if kind == "statement" else links.scan,
        foot=f"Verify this paper: {links.verify}",
        logo=logo,
        **{
            **body,
            "facts": [
                *body["facts"],
                ("Currency", snapshot["currency"]),
                ("Account", party["code"]),
            ],
        },
    )


def _statement(s: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [
            _day(s, day),
            kind.title(),
            reference,
            words,
            _sum(s, debit),
            _sum(s, credit),
            _sum(s, now),
        ]
        for day, kind, reference, words, debit, credit, now in s["lines"]
    ]
    opening = ["", "Opening balance", "", "", "", "", _sum(s, s["opening"])]
    movement = [
        "",
        "Totals for the period",
        "",
        "",
        *(_sum(s, it) for it in s["totals"].values()),
        "",
    ]
    closing = _sum(s, s["closing"])
    ages = s["ageing"]
    return {
        "title": "Statement of account",
        "facts": [("From", _day(s, s["period"]["start"])), ("To", _day(s, s["period"]["end"]))],
        "columns": ["Date", "Type", "Reference", "Description", "Debit", "Credit", "Balance"],
        "numeric": frozenset({4, 5, 6}),
        "rows": [opening, *rows, movement, ["", "Closing balance", "", "", "", "", closing]],
        "sums": [("Amount due", closing)],
        "more": [[name.replace("_", " ") for name in ages], [_sum(s, it) for it in ages.values()]],
    }


def _invoice(s: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": "Invoice",
        "facts": [*_numbered(s), ("Due date", _day(s, s["due_date"]))],
        "columns": ["", "SKU", "Description", "Quantity", "Price", "Tax", "Amount"],
        "numeric": frozenset({3, 4, 5, 6}),
        "rows": [
            [str(n), sku, words, quantity, _sum(s, price), f"{rate}%", _sum(s, net)]
            for n, (sku, words, quantity, _, price, _, _, rate, net) in enumerate(s["items"], 1)
        ],
        "sums": _totals(s, "subtotal", "tax", "total", "paid", "due"),
        "more": _taxes(s),
        "texts": [_words(s, s["totals"]["total"])],
    }


def _receipt(s: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": "Payment receipt",
        "facts": [*_numbered(s), ("Method", s["method"])],
        "columns": ["Applied to", "Invoice date", "Invoice total", "Applied"],
        "numeric": frozenset({2, 3}),
        "rows": [
            [no, _day(s, day), _sum(s, all_), _sum(s, part)] for no, day, all_, part in s["applied"]
        ],
        "sums": [("Received", _sum(s, s["amount"]))],
        "texts": [_words(s, s["amount"]), "Received with thanks."],
    }


def _credit_note(s: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": "Credit note",
        "facts": _numbered(s),
        "columns": ["", "SKU", "Description", "Returned", "Price", "Tax", "Amount"],
        "numeric": frozenset({3, 4, 5, 6}),
        "rows": [
            [str(n), sku, words, quantity, _sum(s, price), f"{rate}%", _sum(s, net)]
            for n, (sku, words, quantity, price, rate, net) in enumerate(s["items"], 1)
        ],
        "sums": _totals(s, "subtotal", "tax", "total"),
        "more": _taxes(s),
        "texts": [f"Reason: {s['reason']}", _words(s, s["totals"]["total"])],
    }


def _challan(s: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": "Delivery challan",
        "facts": [*_numbered(s), ("Vehicle", s["vehicle"])],
        "columns": ["", "SKU", "Description", "Quantity", "Unit"],
        "numeric": frozenset({3}),
        "rows": [[str(n), *item] for n, item in enumerate(s["items"], 1)],
        "sums": [],
    }


def _numbered(s: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [("Number", s["number"]), ("Date", _day(s, s["date"]))]


def _totals(s: Mapping[str, Any], *names: str) -> list[tuple[str, str]]:
    return [(name.title(), _sum(s, s["totals"][name])) for name in names]


def _taxes(s: Mapping[str, Any]) -> list[Row]:
    rates = [[f"{rate}%", _sum(s, net), _sum(s, tax)] for rate, net, tax in s["taxes"]]
    return [["Tax", "Net", "Tax amount"], *rates]


def _words(s: Mapping[str, Any], value: str) -> str:
    return f"In words: {amount_in_words(value, s['currency'], s['locale'])}"


def _sum(s: Mapping[str, Any], value: str) -> str:
    return amount(value, s["currency"], s["locale"]) if value else ""


def _day(s: Mapping[str, Any], value: str) -> str:
    return date(value, s["locale"])


_BODIES: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "statement": _statement,
    "invoice": _invoice,
    "payment-receipt": _receipt,
    "return-receipt": _credit_note,
    "challan": _challan,
}
