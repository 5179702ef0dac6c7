"""Making text fit the columns of a paper, by estimate: doing it in CSS costs a table dearly."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from unicodedata import bidirectional, category, east_asian_width

BREAK = "\u200b"
LONGEST = 400
HUGE = frozenset("MWm@%—…")
WIDE = frozenset("ABCDEGHKNOQRUVXYZw&")
NARROW = frozenset(" .,:;'!|ijlIft()[]/-")
# Words of scripts that have no break inside a word: Thai, Lao and CJK text breaks by itself.
WORD = re.compile("[^\\s\u0e00-\u0eff\u1100-\u11ff\u2e80-\uffef]+")
# Good places to break: after punctuation that joins the parts of a reference.
JOINTS = frozenset("-/_.,:;@+=")
RIGHT_TO_LEFT = frozenset(("R", "AL"))
FIRST_STRONG, LEFT_TO_RIGHT, END = "\u2068", "\u2066", "\u2069"

HAN_LANGUAGES = (
    ("ja", "jp"),
    ("ko", "kr"),
    ("zh_hk", "hk"),
    ("zh_hant_hk", "hk"),
    ("zh_tw", "tw"),
    ("zh_hant", "tw"),
    ("zh", ""),
)
HAN_COUNTRIES = {"JP": "jp", "KR": "kr", "TW": "tw", "HK": "hk", "MO": "hk", "CN": "", "SG": ""}


class Columns(NamedTuple):
    """A class of print.css for a table of lines, and the ems that its text columns then hold."""

    css: str
    reference: float
    description: float


NORMAL = Columns("", 8.3, 14.4)
WIDER = Columns("wide", 7.3, 9.6)
LONGER = Columns("longer", 7.0, 8.8)
VAST = Columns("vast", 7.1, 5.6)


class Items(NamedTuple):
    """A class of print.css for a table of items, which columns it has, and what they hold."""

    css: str
    has: frozenset[str]
    description: float


# The optional columns of a table of items, in millimetres; .items of print.css says the same.
ITEM_COLUMNS = {"sku": 22, "unit": 14, "off": 21, "rate": 14}
ALWAYS = 8 + 19 + 2  # the position, the quantity, the description's own padding


def fit(text: str, ems: float, direction: str = "ltr", longest: int = LONGEST) -> str:
    """`text` as it may stand in a column `ems` wide, on a page of that direction."""
    if direction == "ltr" and len(text) <= ems and text.isascii():
        return text
    text = clip(text, longest)
    if width(text) > ems:
        text = WORD.sub(lambda word: _breakable(word[0], ems), text)
    return _isolated(text, direction)


def clip(text: str, longest: int = LONGEST) -> str:
    """`text`, cut with an ellipsis if it is longer than anyone reads."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def width(text: str) -> float:
    """How wide `text` is at most, in ems of Noto Sans."""
    return sum(map(_width, text))


def columns(amounts: Iterable[str], dates: Iterable[str]) -> Columns:
    """The columns that hold the longest of `amounts` and of `dates`."""
    longest = max(map(len, amounts), default=0)
    tiers = ((12, NORMAL), (16, WIDER), (19, LONGER))
    found = next((tier for limit, tier in tiers if longest <= limit), VAST)
    if max(map(width, dates), default=0) <= 6.7:
        return found
    return Columns(f"{found.css} long-dates", found.reference, found.description - 2.4)


def items(amounts: Iterable[str], quantities: Iterable[str], has: Iterable[str]) -> Items:
    """The columns of a table of items: those in `has`, as wide as what stands in them."""
    present = frozenset(has)
    found = columns(amounts, [])
    wide = {"": 21, "wide": 27, "longer": 29, "vast": 33}[found.css]
    many = max(map(len, quantities), default=0) > 10
    used = ALWAYS + sum(ITEM_COLUMNS.get(name, wide) for name in present) + (13 if many else 0)
    css = f"{found.css} many" if many else found.css
    return Items(css.strip(), present, max(4.0, (175 - used) / 3))


def cjk_face(locale: str, *countries: str) -> str:
    """`jp`, `kr`, `tw` or `hk` where Han characters have other shapes than in China, else ""."""
    language = locale.replace("-", "_").lower()
    by_language = next((face for start, face in HAN_LANGUAGES if language.startswith(start)), None)
    if by_language is not None:
        return by_language
    return next((HAN_COUNTRIES[code] for code in countries if code in HAN_COUNTRIES), "")


def _isolated(text: str, direction: str) -> str:
    """Text that runs against the page keeps its own order: full stops, plus signs, brackets."""
    if direction == "ltr" and text.isascii():
        return text
    classes = {bidirectional(character) for character in text}
    if direction == "ltr":
        return f"{FIRST_STRONG}{text}{END}" if classes & RIGHT_TO_LEFT else text
    if not classes & RIGHT_TO_LEFT:
        return f"{LEFT_TO_RIGHT}{text}{END}"
    return f"{FIRST_STRONG}{text}{END}" if "L" in classes else text


@lru_cache(maxsize=4096)
def _width(character: str) -> float:
    if character in NARROW:
        return 0.38
    if character in HUGE:
        return 1.0
    if character in WIDE:
        return 0.8
    if character < "\u0080":
        return 0.62
    return 1.0 if east_asian_width(character) in "WF" else 0.85


def _breakable(word: str, ems: float) -> str:
    if width(word) <= ems:
        return word
    parts: list[str] = []
    start, used, joint = 0, 0.0, 0
    for index, character in enumerate(word):
        used += _width(character)
        if used > ems and index > start and not _clings(word, index):
            stop = joint if joint > start else index
            parts.append(word[start:stop])
            start, used = stop, width(word[stop : index + 1])
        if character in JOINTS:
            joint = index + 1
    return BREAK.join([*parts, word[start:]])


def _clings(word: str, index: int) -> bool:
    """Whether a break before `index` would tear a mark or a joined letter off."""
    return category(word[index])[0] in "MC" or category(word[index - 1]) in ("Mn", "Cf")
