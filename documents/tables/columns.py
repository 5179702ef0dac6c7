"""Columns that lists share. Each cell carries its heading, for screens too narrow for a table."""

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Company


class CompanyTable(tables.Table):  # type: ignore[misc]
    """A table that writes amounts and times as `company` does. Give it a list of rows.

    `choosable`: each row has a box to tick, which belongs to the form `bulk` of the page.
    """

    choosable = False

    def __init__(self, rows: list[Any], *, company: Company) -> None:
        self.company = company
        super().__init__(rows, orderable=False, template_name="documents/parts/table.html")

    class Meta:
        attrs = {"class": "table table-sm table-hover list"}


def column(heading: str, *, css: str = "", **options: Any) -> tables.Column:
    """`css` is put on the heading and on every cell."""
    cell = {"class": css, "data-label": heading}
    return tables.Column(
        verbose_name=heading, attrs={"th": {"class": css}, "td": cell}, default="", **options
    )


def number(heading: str, *, css: str = "", **options: Any) -> tables.Column:
    return column(heading, css=f"number {css}".strip(), **options)


def clipped(value: object) -> SafeString:
    """Text that is cut at the column's edge, whole in the title; nothing for None."""
    if value is None or value == "":
        return SafeString("")
    return format_html('<span class="clip" title="{}">{}</span>', value, value)
