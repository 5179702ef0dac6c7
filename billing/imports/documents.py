"""A document of the file as a whole: put together from its lines, or why it can't be taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.imports.lines import SalesLine
from billing.imports.spool import SpooledDocument
from billing.money import LARGEST_DOCUMENT, line_amount, total


@dataclass(frozen=True)
class SalesDocument:
    """An invoice or a return as a whole: its lines agree on party and date."""

    number: str
    is_return: bool
    party_code: str
    party_name: str
    country: str
    day: date
    lines: dict[int, SalesLine]


def document_of(spooled: SpooledDocument) -> SalesDocument:
    lines = list(spooled.lines.values())
    first = lines[0]
    return SalesDocument(
        number=spooled.number,
        is_return=first.is_return,
        party_code=first.party_code,
        party_name=_first_given(line.party_name for line in lines),
        country=_first_given(line.country for line in lines),
        day=first.day,
        lines=spooled.lines,
    )


def net_of(line: SalesLine, currency: str) -> Decimal:
    return line_amount(quantity=line.quantity, unit_price=line.unit_price, currency=currency)


def _first_given(texts: Iterator[str]) -> str:
    return next(filter(None, texts), "")


def problem_of(spooled: SpooledDocument) -> str:
    """Why a document can't be taken as a whole, or nothing."""
    if spooled.refused:
        place, reason = next(iter(spooled.refused.items()))
        return f"document refused: line {place}: {reason}"
    if spooled.lacks is not None:
        return f"document refused: line {spooled.lacks} can't be read and may be one of its lines"
    (first_place, first), *others = spooled.lines.items()
    for place, line in others:
        if line.party_code != first.party_code:
            return f"document refused: line {place} has another party than line {first_place}"
        if line.day != first.day:
            return f"document refused: line {place} has another date than line {first_place}"
    if not total(_worth(line) for line in spooled.lines.values()) < LARGEST_DOCUMENT:
        return f"document refused: its total is {LARGEST_DOCUMENT:,} or more"
    return ""


def _worth(line: SalesLine) -> Decimal:
    """With its tax; not rounded, which a bound does not need."""
    return line.quantity * line.unit_price * (1 + line.tax_rate / 100)
