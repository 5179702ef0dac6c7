"""Kinds of paper that reads as well as services must name."""

from billing.snapshots import labels
from documents.papers import PaperKind

STATEMENT = PaperKind(
    name="statement",
    label="Statement",
    template="pdf/statement.html",
    version=2,
    labels=labels.STATEMENT,
)
BATCH_LIST = PaperKind(
    name="batch-list", label="Covering list", template="pdf/batch_list.html", version=1
)
