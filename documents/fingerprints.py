"""The fingerprint of a paper: the same facts, kind, template and locale are the same paper."""

import hashlib
import json
from typing import Any

from documents.papers import Paper


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces. Floats are refused: amounts are strings."""
    _refuse_floats(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def fingerprint(paper: Paper) -> str:
    """SHA-256 in hexadecimal, unique per company."""
    return fingerprint_of(paper.kind.name, paper.kind.version, paper.locale, paper.snapshot)


def fingerprint_of(kind: str, version: int, locale: str, snapshot: dict[str, Any]) -> str:
    """The same of the parts, as they stand on a row."""
    return hashlib.sha256(canonical([kind, version, locale, snapshot])).hexdigest()


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("A snapshot holds no floats: write amounts as strings.")
    if isinstance(value, dict):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_floats(part)
