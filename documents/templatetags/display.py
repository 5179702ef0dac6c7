"""What pages show: states, amounts, periods, times and sizes as the company's people read them."""

import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_interval, format_skeleton, format_time
from babel.numbers import format_decimal
from django import template
from django.http import QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Company
from documents import formatting
from documents.models import Batch, Document
from documents.papers import paper_kinds, run_kind

register = template.Library()

NOTHING = "–"
_KILO = 1000
# Where a page begins, and what polling adds: no part of what is looked for.
_OF_ONE_PAGE = ("after", "before", "wait", "seen")
_UNITS = ("kB", "MB", "GB", "TB")


def money(value: Decimal | None, currency: str, company: Company) -> str:
    """`£1,234.50`. The column's spare decimal places are no part of the amount."""
    if value is None:
        return ""
    return formatting.money(value.normalize(), currency, company.locale)


@lru_cache(maxsize=4096)
def period(start: datetime.date | None, end: datetime.date | None, locale: str) -> str:
    """`Oct 2026` for a whole month, `2026` for a whole year, else `1 Oct – 15 Nov 2026`."""
    known = formatting.parse_locale(locale)
    if start is None or end is None:
        day = start or end
        return str(format_date(day, "medium", locale=known)) if day else ""
    after = end + datetime.timedelta(days=1)
    if start.day == 1 and after.day == 1 and (after - start).days <= 31:
        return str(format_skeleton("yMMM", start, locale=known))
    if (start.month, start.day, after.month, after.day) == (1, 1, 1, 1) and after.year == (
        start.year + 1
    ):
        return str(start.year)
    return str(format_interval(start, end, "yMMMd", locale=known))


def moment(value: datetime.datetime | None, company: Company) -> SafeString:
    """`22 Nov, 14:05` in the company's time zone; the full time stands in the title."""
    if value is None:
        return SafeString("")
    there = value.astimezone(ZoneInfo(company.time_zone))
    locale = formatting.parse_locale(company.locale)
    this_year = there.year == timezone.now().astimezone(there.tzinfo).year
    day = (
        format_skeleton("MMMd", there, locale=locale)
        if this_year
        else format_date(there, "medium", locale=locale)
    )
    text = f"{day}, {format_time(there, 'short', locale=locale)}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        there.isoformat(),
        exact_moment(value, company),
        text,
    )


def exact_moment(value: datetime.datetime, company: Company) -> str:
    """`2026-11-22 14:05:00 GMT (UTC+00:00)`, in the company's time zone."""
    there = value.astimezone(ZoneInfo(company.time_zone))
    return f"{there:%Y-%m-%d %H:%M:%S %Z} (UTC{there.isoformat()[-6:]})"


def size(count: int | None, company: Company) -> str:
    """Bytes as people say them: `812 B`, `48 kB`, `1.2 MB`."""
    if not count:
        return ""
    if count < _KILO:
        return f"{count} B"
    power = min(len(_UNITS), (len(str(count)) - 1) // 3)
    number, unit = count / _KILO**power, _UNITS[power - 1]
    rounded = round(number, 1) if number < 10 else round(number)
    return f"{format_decimal(rounded, locale=formatting.parse_locale(company.locale))} {unit}"


def state_mark(state: str, label: str) -> SafeString:
    """A state as a shape and a word, so that its colour is never all there is."""
    return format_html('<span class="state state-{}">{}</span>', state, label)


def document_state(document: Document) -> SafeString:
    if document.held and document.state == "queued":
        return state_mark("held", "paused")
    return state_mark(document.state, document.get_state_display())


def batch_state(batch: Batch) -> SafeString:
    if batch.is_paused and not batch.is_final:
        return state_mark("held", "paused")
    return state_mark(batch.state, batch.get_state_display())


def paper_label(kind: str) -> str:
    """The name of a kind of paper, also of one that is no longer registered."""
    return next((known.label for known in paper_kinds() if known.name == kind), kind)


def run_label(kind: str) -> str:
    try:
        return run_kind(kind).label
    except KeyError:
        return kind


@register.filter
def duration(value: datetime.timedelta) -> str:
    """`4 s`, `3 min 20 s`, `2 h 5 min`."""
    seconds = max(0, round(value.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds % 60 else f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


@register.filter
def mark(thing: Document | Batch) -> SafeString:
    return batch_state(thing) if isinstance(thing, Batch) else document_state(thing)


@register.filter
def kind_label(thing: Document | Batch) -> str:
    return run_label(thing.kind) if isinstance(thing, Batch) else paper_label(thing.kind)


@register.filter
def amount_for(document: Document, company: Company) -> str:
    return money(document.amount, document.currency, company)


@register.filter
def period_for(thing: Document | Batch, company: Company) -> str:
    return period(thing.period_start, thing.period_end, company.locale)


@register.filter
def moment_for(value: datetime.datetime | None, company: Company) -> SafeString:
    return moment(value, company)


@register.filter
def size_for(count: int | None, company: Company) -> str:
    return size(count, company)


@register.filter
def number_for(value: Any, company: Company) -> str:
    """`10,000`."""
    if value in (None, ""):
        return ""
    return str(format_decimal(value, locale=formatting.parse_locale(company.locale)))


@register.simple_tag(takes_context=True)
def current(context: template.Context, section: str) -> SafeString:
    """Marks the link of the section that the page belongs to."""
    return SafeString(' aria-current="page"' if context.get("section") == section else "")


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: str | None) -> str:
    """This page's query with `changes`, on its first page unless they say otherwise."""
    kept: QueryDict = context["request"].GET.copy()
    for name in _OF_ONE_PAGE:
        kept.pop(name, None)
    for name, value in changes.items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = value
    return f"?{kept.urlencode()}"
