"""Telling users what became of what they asked for."""

from collections.abc import Sequence

from documents.models import Batch, Document


def notify_of_documents(documents: Sequence[Document]) -> None:
    """Tell who asked for each, as ready or failed. Called in the transaction that announces."""


def notify_of_batches(batches: Sequence[Batch]) -> None:
    """Tell who started each run. Called in the transaction that announces."""
