"""What paper templates need: amounts, dates and text that fits, in the snapshot's locale."""

import re
from decimal import Decimal
from itertools import accumulate

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from documents import formatting
from documents.rendering import fitting
from documents.rendering.blocks import ALIGNED_ROWS, Block, blocks, has_other_script, list_ems
from documents.rendering.words import amount_in_words

register = template.Library()


@register.simple_tag(takes_context=True)
def amount(context: Context, value: str) -> str:
    """`1,234.50`; nothing for an empty value."""
    s = context["s"]
    return formatting.amount(value, s["currency"], s["locale"]) if value else ""


@register.simple_tag(takes_context=True)
def negative(context: Context, value: str) -> str:
    """`-1,234.50`: an amount that is taken off."""
    return amount(context, f"-{value}" if not value.startswith("-") else value)


@register.simple_tag(takes_context=True)
def money(context: Context, value: str) -> str:
    """`£1,234.50`."""
    s = context["s"]
    return formatting.money(value, s["currency"], s["locale"])


@register.simple_tag(takes_context=True)
def date(context: Context, value: str) -> str:
    """`4 Jan 2011`."""
    return formatting.date(value, context["s"]["locale"])


@register.simple_tag(takes_context=True)
def country(context: Context, code: str) -> str:
    return formatting.country_name(code, context["s"]["locale"])


@register.simple_tag(takes_context=True)
def fit(context: Context, text: str, ems: float, longest: int = fitting.LONGEST) -> str:
    """`text`, cut if it is endless, with places to break in words wider than `ems`."""
    return fitting.fit(text, ems, context["direction"], longest)


@register.simple_tag
def clip(text: str, longest: int) -> str:
    """`text` in at most `longest` characters."""
    return fitting.clip(text, longest)


@register.simple_tag
def cjk_face(locale: str, *countries: str) -> str:
    """The class for the shapes of Han characters that the reader, then the countries, expect."""
    return fitting.cjk_face(locale, *countries)


@register.simple_tag(takes_context=True)
def columns_for(context: Context, *values: str) -> fitting.Columns:
    """Column widths for a table of `values`, what lies between them, and dates of the period."""
    s = context["s"]
    amounts = [formatting.amount(value, s["currency"], s["locale"]) for value in values if value]
    dates = [formatting.date(value, s["locale"]) for value in s.get("period", {}).values()]
    return fitting.columns(amounts, dates)


@register.simple_tag(takes_context=True)
def items_for(context: Context, names: str) -> fitting.Items:
    """The columns that the snapshot's items need; `names` says what each place of a row holds.

    A column in which no row has anything to say is left out.
    """
    s = context["s"]
    rows = [dict(zip(names.split(), row, strict=True)) for row in s["items"]]
    amounts = [
        formatting.amount(row[name], s["currency"], s["locale"])
        for row in rows
        for name in ("price", "off", "amount")
        if row.get(name)
    ]
    present = {name for row in rows for name in ("sku", "unit") if row.get(name)}
    present |= {"off" for row in rows if row.get("off") or row.get("percent")}
    present |= {"rate" for row in rows if row.get("rate", "0") != "0"}
    present |= {name for name in ("price", "amount") if name in names.split()}
    return fitting.items(amounts, [row["quantity"] for row in rows], present)


@register.simple_tag(takes_context=True)
def summed(context: Context, rows: list[list[str]]) -> list[list[str]]:
    """Each row with the sum of the last places so far, `1,234.50`, as one place more."""
    sums = accumulate(Decimal(row[-1]) for row in rows)
    return [[*row, amount(context, f"{sum_:f}")] for row, sum_ in zip(rows, sums, strict=True)]


@register.simple_tag(takes_context=True)
def listed(context: Context, columns: fitting.Columns) -> list[Block]:
    """The rows of a run's covering list, numbered, several of them to a table row."""
    states = {
        "ready": gettext("ready"),
        "failed": gettext("failed"),
        "queued": gettext("waiting"),
        "running": gettext("being made"),
        "cancelled": gettext("cancelled"),
        "left_out": gettext("left out"),
    }
    facts, rows, apart = context["s"]["rows"], [], {}
    for index, (code, name, value, pages, state, reason) in enumerate(facts):
        said = states.get(state, state)
        said = f"{said}: {gettext(reason)}" if reason else said
        rows.append([str(index + 1), code, name, amount(context, value), pages, said])
        if state == "failed":
            apart[index] = "trouble"
        elif len(facts) <= ALIGNED_ROWS and has_other_script(name):
            apart[index] = ""
    return blocks(rows, list_ems(columns), context["direction"], apart)


@register.simple_tag(takes_context=True)
def in_words(context: Context, value: str) -> str:
    """`One pound and ten pence`; nothing where that can't be said rightly."""
    s = context["s"]
    return amount_in_words(value, s["currency"], s["locale"])


@register.simple_tag(takes_context=True)
def number(context: Context, value: str | int) -> str:
    """`1,234.5`."""
    return formatting.number(str(value), context["s"]["locale"])


@register.simple_tag(takes_context=True)
def percent(context: Context, value: str) -> str:
    """`7.7%`; nothing for an empty value."""
    return formatting.percent(value, context["s"]["locale"]) if value else ""


@register.filter
def is_negative(value: str) -> bool:
    return value.startswith("-") and bool(value.strip("-0."))


@register.filter
def is_zero(value: str) -> bool:
    return not value.strip("-0.")


@register.filter
def unsigned(value: str) -> str:
    return value.removeprefix("-")


@register.simple_tag
def page_words() -> SafeString:
    """The words round the page numbers, for the margin box of print.css to take up."""
    # Translators: keep both marks, in this order; the words round them are yours.
    words = gettext("Page {page} of {pages}")
    match = re.fullmatch(r"(.*)\{page\}(.*)\{pages\}(.*)", words)
    page, of, end = match.groups() if match else ("", " / ", "")
    return format_html(
        '<p class="page-words" data-page="{}" data-of="{}" data-end="{}"></p>', page, of, end
    )
