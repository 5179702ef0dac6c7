"""The pages of documents and runs."""

from documents.views.batches import BatchListView, BatchView
from documents.views.changes import ChangesView
from documents.views.documents import DocumentBulkView, DocumentListView, DocumentView
from documents.views.downloads import DownloadView
from documents.views.live import LiveView

__all__ = [
    "BatchListView",
    "BatchView",
    "ChangesView",
    "DocumentBulkView",
    "DocumentListView",
    "DocumentView",
    "DownloadView",
    "LiveView",
]
