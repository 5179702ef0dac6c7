"""The one door to WeasyPrint, whose import costs seconds and belongs in workers only."""

import atexit
import gc
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from documents.rendering.engine import Engine


def import_engine() -> "type[Engine]":
    """Load WeasyPrint and its C libraries."""
    from documents.rendering.engine import Engine  # noqa: PLC0415

    return Engine


@cache
def engine() -> "Engine":
    """The engine of this process, built at the first call."""
    made = import_engine()()
    atexit.register(_let_go)
    return made


def _let_go() -> None:
    """Python unloads Pango as it ends: what still belongs to it by then would crash the process."""
    engine.cache_clear()
    gc.collect()
