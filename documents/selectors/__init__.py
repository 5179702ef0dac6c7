"""Everything that the pages read."""

from documents.selectors.batches import (
    SKIPPED,
    Progress,
    all_batches,
    batch_with_plan,
    items_of,
    listed_batches,
    progress_of,
)
from documents.selectors.documents import (
    all_documents,
    document_with_requester,
    listed_documents,
    runs_of,
    versions_of,
)
from documents.selectors.paging import Edge, Page, by_column, by_position, newest_first

__all__ = [
    "SKIPPED",
    "Edge",
    "Page",
    "Progress",
    "all_batches",
    "all_documents",
    "batch_with_plan",
    "by_column",
    "by_position",
    "document_with_requester",
    "items_of",
    "listed_batches",
    "listed_documents",
    "newest_first",
    "progress_of",
    "runs_of",
    "versions_of",
]
