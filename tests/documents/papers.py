"""A statement to ask for, and what lies in an archive."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from documents.papers import Paper, paper_kind
from tests.documents.rendering.samples import PARTY, statement


def statement_paper(name: str = "Harbour & Hill", **changes: Any) -> Paper:
    """A paper about a new party of that name, or about `subject_id`."""
    subject: UUID = changes.pop("subject_id", None) or uuid4()
    party = {**PARTY, "name": name, "code": str(subject)[:8]}
    paper = {
        "kind": paper_kind("statement"),
        "snapshot": statement(1, party=party),
        "locale": "en_GB",
        "title": f"Statement {name}",
        "subject_id": subject,
        "recipient_id": subject,
        "recipient_code": "C-1",
        "recipient_name": name,
    }
    return Paper(**{**paper, **changes})


def files_below(directory: Path) -> list[Path]:
    """Every file, drafts too."""
    return sorted(path for path in directory.rglob("*") if path.is_file())
