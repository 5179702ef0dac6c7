"""Importing sales from another system's CSV file: read, check, spool by document, post."""

from billing.imports.columns import FIELDS, ColumnError, match_columns
from billing.imports.rows import UnreadableFile
from billing.imports.run import ImportOptions, ImportSummary, import_sales

__all__ = [
    "FIELDS",
    "ColumnError",
    "ImportOptions",
    "ImportSummary",
    "UnreadableFile",
    "import_sales",
    "match_columns",
]
