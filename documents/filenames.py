"""File names for downloads, made of titles that people type.

RFC 6266: an ASCII `filename` for old clients, and `filename*` (RFC 5987) with the whole name.
"""

import re
import unicodedata
from urllib.parse import quote

_FALLBACK = "document"
_MOST_BYTES = 180
# What Windows, shells or header syntax would take for something else.
_RESERVED = '<>:"/\\|?*%;'
# attr-char of RFC 5987, beside letters and digits.
_ATTR_CHARS = "!#$&+-.^_`|~"


def content_disposition(title: str, suffix: str, *, inline: bool) -> str:
    kind = "inline" if inline else "attachment"
    plain, full = ascii_name(title) + suffix, unicode_name(title) + suffix
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe=_ATTR_CHARS)}"


def ascii_name(title: str) -> str:
    """Letters, digits, dot, dash, underscore and space: nothing that a header could trip over."""
    text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return _tidy(re.sub(r"[^A-Za-z0-9._ -]", " ", text))


def unicode_name(title: str) -> str:
    """The title without control and direction characters, separators and lone surrogates."""
    text = "".join(
        " " if char in _RESERVED or unicodedata.category(char)[0] in "CZ" else char
        for char in unicodedata.normalize("NFC", title)
    )
    return _tidy(text)


def _tidy(text: str) -> str:
    text = " ".join(text.split()).strip(" .-")
    short = text.encode()[:_MOST_BYTES].decode(errors="ignore").rstrip(" .-")
    return short or _FALLBACK
