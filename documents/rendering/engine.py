"""One WeasyPrint set-up for the life of a worker process: fonts, stylesheets, pictures."""

import gc
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pydyf
from django.template.loader import get_template
from weasyprint import CSS, Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError

from documents.rendering.errors import MissingGlyph
from documents.rendering.fetcher import AssetFetcher
from documents.rendering.fontconfig import use_own_fontconfig
from documents.rendering.glyphs import Glyphs
from documents.rendering.markup import DefaultSheet, Markup
from documents.rendering.matching import Matcher
from documents.rendering.pictures import Pictures
from documents.rendering.room import with_room
from documents.rendering.styles import use_quick_styles
from documents.rendering.types import Asset, Rendered

# The key of the PDF's information dictionary.
FINGERPRINT = "PressroomFingerprint"
STYLESHEET = "pdf/print.css"
WARM_PAGE = (
    "<html lang='en'><head><title>-</title></head><body><p>Aa <strong>1</strong></p></body></html>"
)


class Engine:
    """Renders XHTML to PDF. Not thread-safe, as WeasyPrint is not: one a process."""

    def __init__(self) -> None:
        use_own_fontconfig()
        use_quick_styles()
        self._fonts = FontConfiguration()
        self._default_sheet = DefaultSheet()
        self._sheet = self._stylesheet()
        self._pictures = Pictures()
        self._is_warm = False
        self.glyphs = Glyphs()

    def render(self, html: str, assets: Mapping[str, Asset], fingerprint: str = "") -> Rendered:
        """The PDF of `html`; raises RenderError. The same arguments give the same bytes."""
        with _undisturbed():
            return with_room(lambda: self._render(html, assets, fingerprint))

    def _render(self, html: str, assets: Mapping[str, Asset], fingerprint: str) -> Rendered:
        fetcher = AssetFetcher(assets)
        cache = self._pictures.for_render(assets)
        try:
            document = Markup(html, self._default_sheet, fetcher).render(
                font_config=self._fonts, stylesheets=[self._sheet], cache=cache
            )
            content = document.write_pdf(
                pdf_identifier=_identifier(html + fingerprint), finisher=_naming(fingerprint)
            )
        except FatalURLFetchingError:
            fetcher.raise_if_refused()
            raise
        fetcher.raise_if_refused()
        self._pictures.keep(cache, assets)
        _refuse_boxes(document)
        return Rendered(content=content, pages=len(document.pages))

    def warm_up(self) -> None:
        """Render a page that is thrown away, so that the first real one is as quick as the rest."""
        if not self._is_warm:
            self.render(WARM_PAGE, {})
            self.glyphs.uncovered("A")
            self._is_warm = True

    def _stylesheet(self) -> CSS:
        template: Any = get_template(STYLESHEET)
        return CSS(
            string=template.template.source,
            font_config=self._fonts,
            matcher=Matcher(),
            url_fetcher=AssetFetcher({}),
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Python's collector waits until it is over, and then goes through what is new, once.

    All boxes of a paper live until it is drawn, and none longer: to go through them time and again
    meanwhile takes a seventh of a paper's time and frees nothing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if was_on:
            gc.enable()


def _identifier(text: str) -> bytes:
    return sha256(text.encode()).hexdigest()[:32].encode()


def _naming(fingerprint: str) -> Callable[[Document, pydyf.PDF], None] | None:
    """Puts the fingerprint among the PDF's facts, by which an altered copy is still recognised."""

    def name(_document: Document, pdf: pydyf.PDF) -> None:
        pdf.info[FINGERPRINT] = pydyf.String(fingerprint)

    return name if fingerprint else None


def _refuse_boxes(document: Document) -> None:
    """The last word on glyphs: what was really drawn as a box, fixed words of the template too."""
    for font in document.fonts.values():
        for code in font.missing:
            name = unicodedata.name(chr(code), "an unnamed character")
            raise MissingGlyph(f"No installed font can print {chr(code)!r} (U+{code:04X}, {name}).")
