"""The lists, column by column."""

from documents.tables.batches import BatchTable, ItemTable
from documents.tables.columns import CompanyTable, column, number
from documents.tables.documents import DocumentTable

__all__ = ["BatchTable", "CompanyTable", "DocumentTable", "ItemTable", "column", "number"]
