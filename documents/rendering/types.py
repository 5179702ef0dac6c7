"""What goes into a render besides text, and what comes out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a paper may show, by the name it has in the `assets` mapping."""

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished PDF and its number of pages."""

    content: bytes
    pages: int
