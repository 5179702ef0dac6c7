"""One line of the file: parsed into plain values, or refused with the reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from billing.money import ZERO

LONGEST_TEXT = 131_072  # characters of a field; more is no text that anybody wrote
_MAX_QUANTITY = Decimal(10) ** 12
_MAX_PRICE = Decimal(10) ** 14
# Other systems write "never" as a day at the end of time, to which no payment term can be added.
_YEARS = range(1900, 2200)
_DATE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?Z?)?\Z", re.ASCII
)
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?\Z", re.ASCII)


class Refused(ValueError):
    """A line that can't be taken: `reason` is one of a few, `detail` what it was in this line."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SalesLine:
    """A line as it will be posted. A return's quantity is positive here."""

    document: str
    is_return: bool
    party_code: str
    party_name: str
    country: str
    day: date
    sku: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal


def parse_line(
    row: Sequence[str], columns: Mapping[str, int], *, width: int, returns_prefix: str
) -> SalesLine:
    """The line in `row`. Raises Refused."""
    if len(row) != width:
        raise Refused("wrong number of fields", f"{len(row)}, and the header has {width}")
    text = {field: _clean(row[place], field) for field, place in columns.items()}
    document = _required(text, "invoice_number", 60)
    is_return = bool(returns_prefix) and document.startswith(returns_prefix)
    quantity = _decimal(text["quantity"], "quantity", places=3, most=_MAX_QUANTITY)
    if quantity < 0 and not is_return:
        raise Refused("negative quantity on an invoice")
    if quantity > 0 and is_return:
        raise Refused("positive quantity on a return")
    unit_price = _decimal(text["unit_price"], "unit_price", places=4, most=_MAX_PRICE)
    if unit_price < 0:
        raise Refused("negative price")
    return SalesLine(
        document=document,
        is_return=is_return,
        party_code=party_code(_required(text, "party_code", 60, "no party")),
        party_name=text.get("party_name", "")[:200],
        country=text.get("country", "")[:60],
        day=_day(_required(text, "date", 40)),
        sku=_limited(text.get("sku", ""), "sku", 60),
        description=text.get("description", ""),
        quantity=abs(quantity),
        unit_price=unit_price,
        tax_rate=_tax_rate(text.get("tax_rate", "")),
    )


def party_code(text: str) -> str:
    """A code as its system writes it: a spreadsheet's 17850.0 is 17850."""
    whole, point, fraction = text.partition(".")
    return whole if point and fraction == "0" and whole.isdigit() else text


def _clean(text: str, field: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise Refused(f"{field} is longer than {LONGEST_TEXT:,} characters")
    if "\0" in text:
        raise Refused(f"{field} holds a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused(f"{field} is not UTF-8") from error
    return text.strip()


def _required(text: Mapping[str, str], field: str, longest: int, reason: str = "") -> str:
    value = text[field]
    if not value:
        raise Refused(reason or f"no {field}")
    return _limited(value, field, longest)


def _limited(value: str, field: str, longest: int) -> str:
    if len(value) > longest:
        raise Refused(f"{field} is longer than {longest} characters")
    return value


def _decimal(text: str, field: str, *, places: int, most: Decimal) -> Decimal:
    """A plain number with at most `places` digits after the point that count."""
    if not text:
        raise Refused(f"no {field}")
    if not _DECIMAL.match(text):
        raise Refused(f"{field} is not a number", repr(text[:40]))
    try:
        value = Decimal(text)
        rounded = value.quantize(Decimal(1).scaleb(-places))
    except InvalidOperation as error:
        raise Refused(f"{field} is out of range", repr(text[:40])) from error
    if abs(value) >= most:
        raise Refused(f"{field} is out of range", repr(text[:40]))
    if rounded != value:
        raise Refused(f"{field} has more than {places} decimals", repr(text[:40]))
    return rounded + ZERO


def _tax_rate(text: str) -> Decimal:
    if not text:
        return ZERO
    rate = _decimal(text.removesuffix("%").rstrip(), "tax_rate", places=4, most=Decimal(1000))
    if not 0 <= rate <= 100:
        raise Refused("tax_rate is not between 0 and 100 per cent", repr(text[:40]))
    return rate


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    match = _DATE.match(text)
    try:
        if not match:
            raise ValueError
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        found = datetime(year, month, day, hour, minute, second).date()  # noqa: DTZ001
    except ValueError as error:
        raise Refused(
            "date is not written as 2011-01-31 or 2011-01-31 09:30", repr(text)
        ) from error
    if found.year not in _YEARS:
        raise Refused(f"date is not in the years {_YEARS[0]} to {_YEARS[-1]}", repr(text))
    return found
