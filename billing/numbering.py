"""Numbers: the only place that takes one, under one short row lock, in the caller's transaction.

Gapless and unique per company, series and fiscal year: a transaction that rolls back gives its
number back, and the next one to get the lock takes it. How a number is printed is the company's
pattern for the series, such as INV-{year}-{number:05}.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from accounts.models import Company
from billing.dates import today
from billing.models import Challan, Invoice, NumberSequence, Payment, Return, Series

LONGEST = 60  # as the columns are
_LONGEST_NUMBER = 12
_TOKEN = re.compile(r"\{(?:(year|yy)|number(?::0(\d{1,2}))?)\}", re.ASCII)
_COLUMNS: dict[Series, tuple[Any, str]] = {
    Series.INVOICE: (Invoice, "invoice_number"),
    Series.PAYMENT: (Payment, "payment_number"),
    Series.RETURN: (Return, "return_number"),
    Series.CHALLAN: (Challan, "challan_number"),
}


def fiscal_year(company: Company, day: date) -> int:
    """The year in which the company's fiscal year around `day` begins."""
    return day.year if day.month >= company.fiscal_year_start_month else day.year - 1


def take_number(*, company: Company, series: Series, day: date) -> str:
    """The next number, as printed. Raises TransactionManagementError outside a transaction.

    One that is in the books already, from an import, is passed over.
    """
    year = fiscal_year(company, day)
    sequence = _locked(_sequence(company, series, year)).get()
    taken = _first_free(company, series, year, sequence.next_number)
    sequence.next_number = taken + 1
    sequence.save(update_fields=["next_number"])
    return format_number(series, year, taken, pattern_of(company, series))


def default_pattern(series: Series) -> str:
    return f"{series.value}-{{year}}-{{number:05}}"


def pattern_of(company: Company, series: Series) -> str:
    """The company's own, or the default."""
    return company.number_patterns.get(series.value) or default_pattern(series)


def format_number(series: Series, year: int, number: int, pattern: str = "") -> str:
    """The number as printed. Raises ValidationError for a pattern that is none."""
    pattern = pattern or default_pattern(series)
    validate_pattern(pattern)

    def put(token: re.Match[str]) -> str:
        if token[1]:
            return f"{year:04}" if token[1] == "year" else f"{year % 100:02}"
        return str(number).zfill(int(token[2] or 0))

    return _TOKEN.sub(put, pattern)


def validate_pattern(pattern: object) -> None:
    """Raises ValidationError unless numbers of this pattern are unique, printable and fit."""
    if not isinstance(pattern, str):
        raise ValidationError("A pattern is a text such as INV-{year}-{number:05}.")
    plain = _TOKEN.sub("", pattern)
    tokens = list(_TOKEN.finditer(pattern))
    if "{" in plain or "}" in plain:
        raise ValidationError("Write {year}, {yy}, {number} or, with zeros, {number:05}.")
    if sum(not token[1] for token in tokens) != 1:
        raise ValidationError("A pattern holds {number} once.")
    if not any(token[1] for token in tokens):
        raise ValidationError("A pattern holds {year} or {yy}: each year counts from one.")
    if pattern != pattern.strip() or any(unicodedata.category(sign)[0] in "CZ" for sign in plain):
        raise ValidationError("A pattern holds no spaces and no invisible characters.")
    if len(plain) + sum(map(_width, tokens)) > LONGEST:
        raise ValidationError(f"Numbers of this pattern are longer than {LONGEST} characters.")


def _width(token: re.Match[str]) -> int:
    """The most characters that a token becomes."""
    if token[1]:
        return 4 if token[1] == "year" else 2
    return max(_LONGEST_NUMBER, int(token[2] or 0))


def numbers_in_books(company: Company, series: Series, numbers: Collection[str]) -> set[str]:
    """Those of the numbers that a document has, a deleted or voided one too."""
    model, column = _COLUMNS[series]
    rows = model.all_objects.for_company(company).filter(**{f"{column}__in": numbers})
    return set(rows.order_by().values_list(column, flat=True))


def as_printed(company: Company, model: type[models.Model], text: str) -> list[str]:
    """What `text`, the counted part of a number with or without its zeros, may stand for: numbers
    of the next fiscal year, of this one and of the eight before it.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        return []
    series = next(series for series, (of, _) in _COLUMNS.items() if of is model)
    year, pattern = fiscal_year(company, today(company)), pattern_of(company, series)
    return [format_number(series, year - back, int(text), pattern) for back in range(-1, 9)]


def documents_of(company: Company, series: Series) -> Iterator[str]:
    """Every number that is in the books, of deleted and voided documents too."""
    model, column = _COLUMNS[series]
    rows = model.all_objects.for_company(company).exclude(**{column: ""}).order_by()
    yield from rows.values_list(column, flat=True).iterator()


def pattern_expression(pattern: str) -> str:
    """A regular expression that finds `year` or `yy`, and `number`, in a number as printed."""
    parts, end, seen = [], 0, set()
    for token in _TOKEN.finditer(pattern):
        name = token[1] or "number"
        digits = {"year": r"\d{4}", "yy": r"\d{2}", "number": r"\d+"}[name]
        found = f"(?P={name})" if name in seen else f"(?P<{name}>{digits})"
        parts += [re.escape(pattern[end : token.start()]), found]
        seen.add(name)
        end = token.end()
    return "".join([*parts, re.escape(pattern[end:])])


def _first_free(company: Company, series: Series, year: int, start: int) -> int:
    pattern, many = pattern_of(company, series), 1
    while True:
        numbers = {
            format_number(series, year, number, pattern): number
            for number in range(start, start + many)
        }
        used = numbers_in_books(company, series, numbers.keys())
        for text, number in numbers.items():
            if text not in used:
                return number
        start, many = start + many, min(many * 10, 5000)


def _sequence(company: Company, series: Series, year: int) -> "models.QuerySet[NumberSequence]":
    rows = NumberSequence.objects.for_company(company).filter(series=series, fiscal_year=year)
    if not rows.exists():
        with transaction.atomic():
            NumberSequence.objects.bulk_create(
                [NumberSequence(company=company, series=series, fiscal_year=year)],
                ignore_conflicts=True,  # two first numbers of a year at once
            )
    queryset: models.QuerySet[NumberSequence] = rows
    return queryset


def _locked(rows: "models.QuerySet[NumberSequence]") -> "models.QuerySet[Any]":
    """The row lock that makes the numbers gapless. The race test's control takes it away."""
    return rows.select_for_update()
