"""Papers by e-mail: who gets one, and the sending of it, once."""

from collections.abc import Sequence

from accounts.models import User
from documents.models import Batch, Delivery, Document


def request_deliveries(
    *, documents: Sequence[Document], by: User | None, batch: Batch | None = None
) -> int:
    """A delivery for each document that has none, held until it is ready. Returns how many."""
    raise NotImplementedError


def release_deliveries(documents: Sequence[Document]) -> None:
    """Let what waits for these documents go, and give up what waits for one that failed.

    Called in the transaction that announces them.
    """


def send_delivery(delivery: Delivery) -> None:
    """The work of one lease."""
    raise NotImplementedError
