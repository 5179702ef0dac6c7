"""One piece of paper to make, and runs of many."""

from documents.models.batches import Batch, BatchItem, BatchJob, BatchState
from documents.models.documents import Document, DocumentState

__all__ = ["Batch", "BatchItem", "BatchJob", "BatchState", "Document", "DocumentState"]
