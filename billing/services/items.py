"""Replacing a document's items as a whole, and what the trail says of it."""

from collections.abc import Sequence
from typing import Any

from accounts.models import User
from billing.audit import note
from billing.models import Challan, ChallanItem, Invoice, InvoiceItem

Pair = tuple[list[str], list[str]]

_MOST = 50  # lines of an entry
_LONGEST = 120


def replace_items(document: Invoice | Challan, items: Sequence[Any]) -> Pair:
    """Store the items instead of those that are there, at positions 1 to n.

    Returns both as texts. The rows are new ones, also of items that came from another document.
    """
    rows: Any = document.items
    before = [_text(item) for item in rows.all()]
    rows.all().delete()
    owner = "invoice" if isinstance(document, Invoice) else "challan"
    for position, item in enumerate(items, start=1):
        item.pk, item._state.adding, item.position = None, True, position
        setattr(item, owner, document)
    rows.model._default_manager.bulk_create(items, batch_size=500)
    return before, [_text(item) for item in items]


def note_items(document: Invoice | Challan, texts: Pair, by: User | None) -> None:
    """An entry with the lines that went and the lines that came, if there are any."""
    before, after = texts
    went = [line for line in before if line not in set(after)]
    came = [line for line in after if line not in set(before)]
    if went or came:
        note([document], {"items": (_cut(went), _cut(came))}, by)


def _text(item: InvoiceItem | ChallanItem) -> str:
    """The line as the trail shows it."""
    words = f"{item.sku} {item.description}".strip()
    if len(words) > _LONGEST:
        words = f"{words[: _LONGEST - 1]}…"
    text = f"{item.position}. {words}: {item.quantity:.3f} × {item.unit_price:.4f}"
    if isinstance(item, InvoiceItem) and (item.discount_percent or item.discount_amount):
        text += f" less {item.discount_percent:.4f} % less {item.discount_amount:.3f}"
    return f"{text}, tax {item.tax_rate:.4f} %"


def _cut(lines: list[str]) -> str:
    shown = lines[:_MOST]
    if len(lines) > _MOST:
        shown.append(f"and {len(lines) - _MOST:,} more")
    return "\n".join(shown)
