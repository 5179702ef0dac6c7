"""Telling a company's own systems, by signed HTTP."""

from collections.abc import Sequence

from documents.models import Batch, Document, WebhookDelivery


def tell_of_documents(documents: Sequence[Document]) -> None:
    """A delivery for each endpoint that wants the event, in the transaction that announces."""


def tell_of_batches(batches: Sequence[Batch]) -> None:
    """A delivery for each endpoint that wants the event, in the transaction that announces."""


def send_webhook(delivery: WebhookDelivery) -> None:
    """The work of one lease."""
    raise NotImplementedError
