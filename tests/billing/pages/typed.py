"""What a clerk's browser sends."""

from typing import Any

from billing.models import Party

LINE = {
    "description": "Oak serving board",
    "quantity": "2",
    "unit_price": "12.50",
    "tax_rate": "20",
}


def lines(*rows: dict[str, Any], prefix: str = "items") -> dict[str, Any]:
    """Lines as a formset sends them."""
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def invoice(party: Party | None, /, *rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An invoice of one line, or of those given, saved as a draft unless `issue` is given."""
    header = {"party": str(party.pk) if party else "", "invoice_date": "2026-03-10"}
    return header | lines(*(rows or (LINE,))) | fields


def line(**changes: Any) -> dict[str, Any]:
    return LINE | changes
