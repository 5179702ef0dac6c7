"""The audit of numbers: what a series lacks, and what it has twice. It finds nothing."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.db.models import Count

from accounts.models import Company
from billing.models import Challan, Invoice, NumberSequence, Payment, Return, Series
from billing.numbering import (
    default_pattern,
    documents_of,
    format_number,
    numbers_in_books,
    pattern_expression,
    pattern_of,
    validate_pattern,
)

_CHUNK = 5000
_LISTED = 100  # gaps that are named; the rest are counted


@dataclass
class SeriesReport:
    """One series in one fiscal year."""

    series: Series
    year: int
    taken: int = 0
    missing: int = 0
    gaps: list[str] = field(default_factory=list)


@dataclass
class NumbersReport:
    series: list[SeriesReport] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.duplicates and not any(each.missing for each in self.series)


def audit_numbers(company: Company) -> NumbersReport:
    """Each number that was taken must be on a document, a void or deleted one too, once."""
    report = NumbersReport()
    sequences = NumberSequence.objects.for_company(company).order_by("series", "fiscal_year")
    for sequence in sequences:
        report.series.append(_audit(company, sequence))
    report.duplicates = list(_duplicates(company))
    return report


def _audit(company: Company, sequence: NumberSequence) -> SeriesReport:
    series, year = Series(sequence.series), sequence.fiscal_year
    report = SeriesReport(series, year, taken=sequence.next_number - 1)
    patterns = _patterns(company, series)
    numbers = iter(range(1, sequence.next_number))
    while chunk := list(islice(numbers, _CHUNK)):
        for gap in _gaps(company, series, year, patterns, chunk):
            report.missing += 1
            if len(report.gaps) < _LISTED:
                report.gaps.append(gap)
    return report


def _gaps(
    company: Company, series: Series, year: int, patterns: list[str], chunk: list[int]
) -> Iterator[str]:
    """The numbers of the chunk that no document has, in any of the patterns there ever were."""
    left = chunk
    for pattern in patterns:
        texts = {number: format_number(series, year, number, pattern) for number in left}
        used = numbers_in_books(company, series, texts.values())
        left = [number for number in left if texts[number] not in used]
        if not left:
            return
    yield from (format_number(series, year, number, patterns[0]) for number in left)


def _patterns(company: Company, series: Series) -> list[str]:
    """Today's, then the default, then those that the company's trail has."""
    found = dict.fromkeys([pattern_of(company, series), default_pattern(series)])
    for entry in LogEntry.objects.get_for_object(company).filter(
        changes__has_key="number_patterns"
    ):
        for value in entry.changes["number_patterns"]:
            found |= dict.fromkeys(_former(value, series))
    return list(found)


def _former(value: Any, series: Series) -> Iterable[str]:
    """The pattern in a trail's text of all the patterns, if it is one."""
    try:
        pattern = json.loads(value).get(series.value)
        validate_pattern(pattern)
    except (ValueError, TypeError, AttributeError, ValidationError):
        return []
    return [pattern]


def _duplicates(company: Company) -> Iterator[str]:
    """A constraint forbids them: this says whether it held."""
    for model, column in (
        (Invoice, "invoice_number"),
        (Payment, "payment_number"),
        (Return, "return_number"),
        (Challan, "challan_number"),
    ):
        rows = model.all_objects.for_company(company).exclude(**{column: ""}).order_by()
        counted = rows.values_list(column).annotate(times=Count("pk")).filter(times__gt=1)
        yield from (f"{number} ({times} times)" for number, times in counted)


def counters_behind(company: Company) -> Iterator[str]:
    """Counters that stand below a number that is in the books: the same would be taken again."""
    next_numbers = {
        (sequence.series, sequence.fiscal_year): sequence.next_number
        for sequence in NumberSequence.objects.for_company(company)
    }
    for series in Series:
        for year, number in sorted(_highest(company, series).items()):
            if next_numbers.get((series, year), 1) <= number:
                yield (
                    f"{company.slug}: the counter of {series.label} {year} stands at "
                    f"{next_numbers.get((series, year), 1)}, but {number} is in the books."
                )


def _highest(company: Company, series: Series) -> dict[int, int]:
    """The highest number of each year, as the company's present pattern prints them."""
    expression = re.compile(pattern_expression(pattern_of(company, series)), re.ASCII)
    highest: dict[int, int] = {}
    for text in documents_of(company, series):
        if match := expression.fullmatch(text):
            found = match.groupdict()
            year = int(found["year"]) if found.get("year") else 2000 + int(found["yy"])
            highest[year] = max(highest.get(year, 0), int(found["number"]))
    return highest
