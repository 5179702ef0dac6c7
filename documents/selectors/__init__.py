"""Everything that the pages read."""

from documents.selectors.batches import (
    SKIPPED,
    Progress,
    all_batches,
    find_batch,
    items_of,
    listed_batches,
    progress_of,
)
from documents.selectors.documents import (
    all_documents,
    askers_of,
    document_with_facts,
    document_with_requester,
    listed_documents,
    places_in_queue,
    runs_of,
    standing_instead,
    standing_of,
    versions_of,
    wished_by,
)
from documents.selectors.paging import Edge, Page, by_column, by_position, newest_first

__all__ = [
    "SKIPPED",
    "Edge",
    "Page",
    "Progress",
    "all_batches",
    "all_documents",
    "askers_of",
    "by_column",
    "by_position",
    "document_with_facts",
    "document_with_requester",
    "find_batch",
    "items_of",
    "listed_batches",
    "listed_documents",
    "newest_first",
    "places_in_queue",
    "progress_of",
    "runs_of",
    "standing_instead",
    "standing_of",
    "versions_of",
    "wished_by",
]
