"""WeasyPrint's HTML for our own templates: XHTML through expat, and a short default stylesheet."""

from collections.abc import Iterator
from xml.etree import ElementTree

from weasyprint import CSS, HTML
from weasyprint.css.counters import CounterStyle

from documents.rendering.errors import RenderError
from documents.rendering.fetcher import SCHEME, AssetFetcher
from documents.rendering.matching import Element, Matcher

# The elements that paper templates may use. WeasyPrint's own sheet is 256 lines of everything that
# a web page may hold, and each of its selectors is matched against each cell.
DEFAULT_SHEET = """
head, title, meta, link, style { display: none }
html, body, div, header, section, footer, p, h1, h2, address, dl, dt, dd { display: block }
table { display: table; box-sizing: border-box; border-spacing: 0; text-indent: 0 }
caption { display: table-caption }
colgroup { display: table-column-group }
col { display: table-column }
thead { display: table-header-group }
tbody { display: table-row-group }
tfoot { display: table-footer-group }
tr { display: table-row }
td, th { display: table-cell }
th, strong, h1, h2 { font-weight: bold }
h1, h2 { break-after: avoid; break-inside: avoid }
h1 { bookmark-level: 1; bookmark-label: content(text) }
br::before { content: "\\A"; white-space: pre-line }
@page {
  @top-left { text-align: left; vertical-align: middle }
  @top-right { text-align: right; vertical-align: middle }
  @bottom-left { text-align: left; vertical-align: middle }
  @bottom-center { text-align: center; vertical-align: middle }
  @bottom-right { text-align: right; vertical-align: middle }
}
@counter-style decimal { system: numeric; symbols: "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" }
"""


class DefaultSheet:
    """The parsed default stylesheet and counter styles, shared by every document of a process."""

    def __init__(self) -> None:
        self.counters = CounterStyle()
        self.css = CSS(
            string=DEFAULT_SHEET,
            counter_style=self.counters,
            matcher=Matcher(),
            url_fetcher=AssetFetcher({}),
        )


class Markup(HTML):  # type: ignore[misc]
    """One XHTML document, ready for `render`. Raises RenderError if it is not well-formed."""

    def __init__(self, source: str, sheet: DefaultSheet, fetcher: AssetFetcher) -> None:
        root = _parse(source)
        # Relative addresses stay relative, and are refused like any other that is not an asset.
        self.base_url = SCHEME
        self.url_fetcher = fetcher
        self.media_type = "print"
        self.wrapper_element = Element.from_html_root(root, content_language=None)
        self.etree_element = self.wrapper_element.etree_element
        self._sheet = sheet

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
        return [self._sheet.css]

    def _ua_counter_style(self) -> Iterator[CounterStyle]:
        yield self._sheet.counters.copy()


def _parse(source: str) -> ElementTree.Element:
    try:
        # Our own template, users' text escaped in it; expat itself limits entity expansion.
        return ElementTree.fromstring(source)  # noqa: S314
    except ElementTree.ParseError as error:
        raise RenderError(f"The template did not give a well-formed page: {error}.") from error
