"""From a frozen snapshot and a template to PDF bytes. Importing this loads no WeasyPrint."""

from documents.rendering.errors import ForbiddenUrl, MissingAsset, MissingGlyph, RenderError
from documents.rendering.fonts import font_problems
from documents.rendering.memory import bound_memory
from documents.rendering.paper import preload, render, render_paper, warm_up
from documents.rendering.types import Asset, Rendered

__all__ = [
    "Asset",
    "ForbiddenUrl",
    "MissingAsset",
    "MissingGlyph",
    "RenderError",
    "Rendered",
    "bound_memory",
    "font_problems",
    "preload",
    "render",
    "render_paper",
    "warm_up",
]
