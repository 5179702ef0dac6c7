"""Amounts, dates and countries as people of a locale read them. Never rounds: prints what it gets.

A locale is a name that Babel knows, such as `en_GB`, `en-IN` or `ar`; another one reads as English.
"""

import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import get_currency_precision, get_currency_symbol

FALLBACK = "en"
NO_BREAK_SPACE = "\u00a0"


class Style(NamedTuple):
    """How a locale writes a plain number."""

    decimal: str
    group: str
    minus: str
    first_group: int
    next_groups: int


@lru_cache(maxsize=64)
def parse_locale(name: str) -> Locale:
    """Babel's locale for `name`, with the script or country left out if Babel lacks it."""
    parts = name.replace("-", "_").split("_")
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("_".join(parts[:length]))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(FALLBACK)


def amount(value: str | Decimal, currency: str, locale: str) -> str:
    """`"-1234.5"` in GBP for en_GB: `-1,234.50`. All digits given are printed, zeros added."""
    text = value if isinstance(value, str) else f"{value:f}"
    return _number(text, _minor_units(currency), locale)


def number(value: str | Decimal, locale: str) -> str:
    """`"1234.5"` for de: `1.234,5`. A quantity, with the digits that it has."""
    return _number(value if isinstance(value, str) else f"{value:f}", 0, locale)


def percent(value: str, locale: str) -> str:
    """`"7.7"` for de: `7,7 %`."""
    before, after = _around_percent(locale)
    return before + number(value, locale) + after


def money(value: str | Decimal, currency: str, locale: str) -> str:
    """The same with the currency's sign: `-£1,234.50`."""
    digits = amount(value, currency, locale)
    minus = _style(locale).minus
    negative = digits.startswith(minus)
    before, after = _around(currency, locale, negative)
    return before + (digits.removeprefix(minus) if negative else digits) + after


@lru_cache(maxsize=8192)
def date(value: str | datetime.date, locale: str) -> str:
    """Babel's medium format: `4 Jan 2011` for en_GB. Strings are ISO dates."""
    day = datetime.date.fromisoformat(value) if isinstance(value, str) else value
    return str(format_date(day, "medium", locale=parse_locale(locale)))


@lru_cache(maxsize=1024)
def country_name(code: str, locale: str) -> str:
    """`"GB"` for de: `Vereinigtes Königreich`; an unknown code as it is, none as nothing."""
    return str(parse_locale(locale).territories.get(code.upper(), code))


def language_tag(locale: str) -> str:
    """BCP 47, as HTML and PDF want it: `en-GB`, `zh-Hant-TW`."""
    return str(parse_locale(locale)).replace("_", "-")


def direction(locale: str) -> str:
    """`rtl` for Arabic, Hebrew and their like, else `ltr`."""
    return "rtl" if parse_locale(locale).text_direction == "rtl" else "ltr"


@lru_cache(maxsize=16384)
def _number(text: str, decimals: int, locale: str) -> str:
    """At least so many decimals."""
    sign, whole, fraction = _digits(text)
    style = _style(locale)
    fraction = fraction.ljust(decimals, "0")
    unsigned = _grouped(whole, style) + (style.decimal + fraction if fraction else "")
    is_zero = not (whole + fraction).strip("0")
    return unsigned if is_zero or not sign else style.minus + unsigned


def _digits(text: str) -> tuple[str, str, str]:
    """Sign, whole part and fraction of a plain decimal number; ValueError for anything else."""
    sign, number = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = number.partition(".")
    if not (
        whole.isascii()
        and whole.isdigit()
        and (fraction + "0").isascii()
        and (fraction + "0").isdigit()
    ):
        raise ValueError(f"not a plain decimal number: {text[:40]!r}")
    return sign, whole.lstrip("0") or "0", fraction


def _grouped(whole: str, style: Style) -> str:
    head, groups = whole, []
    size = style.first_group
    while len(head) > size:
        head, group = head[:-size], head[-size:]
        groups.append(group)
        size = style.next_groups
    return style.group.join([head, *reversed(groups)])


@lru_cache(maxsize=64)
def _style(locale: str) -> Style:
    found = parse_locale(locale)
    symbols = found.number_symbols.get("latn") or parse_locale(FALLBACK).number_symbols["latn"]
    first, following = found.decimal_formats[None].grouping
    return Style(symbols["decimal"], symbols["group"], symbols["minusSign"], first, following)


@lru_cache(maxsize=256)
def _minor_units(currency: str) -> int:
    return int(get_currency_precision(currency))


@lru_cache(maxsize=64)
def _around_percent(locale: str) -> tuple[str, str]:
    pattern = parse_locale(locale).percent_formats[None]
    return str(pattern.prefix[0]), str(pattern.suffix[0])


@lru_cache(maxsize=256)
def _around(currency: str, locale: str, negative: bool) -> tuple[str, str]:
    """What stands before and after the digits: the locale's pattern with sign and minus put in."""
    found = parse_locale(locale)
    pattern = found.currency_formats["standard"]
    sign = str(get_currency_symbol(currency, locale=found))
    minus = _style(locale).minus
    before = pattern.prefix[negative].replace("-", minus).replace("¤", sign)
    after = pattern.suffix[negative].replace("-", minus).replace("¤", sign)
    if before[-1:].isalpha():
        before += NO_BREAK_SPACE
    if after[:1].isalpha():
        after = NO_BREAK_SPACE + after
    return before, after
