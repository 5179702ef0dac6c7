"""Kinds of paper that reads as well as services must name."""

from documents.papers import PaperKind

STATEMENT = PaperKind(name="statement", label="Statement", template="pdf/statement.html", version=1)
