"""A property that nothing declares has, by our short way, the value that WeasyPrint computes."""

from functools import cache

import pytest
from weasyprint import CSS, css
from weasyprint.css.properties import INHERITED, INITIAL_VALUES
from weasyprint.text.fonts import FontConfiguration

from documents.rendering import render
from documents.rendering.fetcher import AssetFetcher
from documents.rendering.loading import engine
from documents.rendering.markup import DefaultSheet, Markup
from documents.rendering.styles import ComputedStyle
from tests.documents.rendering.test_matching import PAGES, PRINT

(PLAIN,) = ComputedStyle.__bases__
NAMES = sorted(INITIAL_VALUES.keys() | INHERITED)
# What no paper of ours uses: each has a way of its own through WeasyPrint.
ODD = """
html { --wide: 7mm; font-size: 10pt; direction: rtl; page: letter; color: #123456 }
div { margin-inline-start: 3mm; border-block-end: 1pt solid red; inline-size: 40% }
p { margin: inherit; text-decoration: underline; text-indent: calc(1em + 2mm); float: left }
p::before { content: "x"; padding-left: var(--wide); position: absolute }
span { display: inherit; color: initial; width: var(--none); font-size: larger; direction: ltr }
b { padding-inline-end: 2mm; border-top-left-radius: 1mm; column-gap: 1em; outline: 1pt solid }
"""
ODD_PAGE = "<html><body><div><p>A<span>B<b>C</b></span></p></div><b><p/></b></body></html>"


@pytest.fixture
def computed(monkeypatch):
    """Every property of every element of a page, by styles of that class."""
    engine()  # first, since what comes before it settles where the process finds its fonts
    fetcher = AssetFetcher({})
    fonts = FontConfiguration()

    @cache
    def sheet(text: str) -> CSS:
        return CSS(string=text, font_config=fonts, url_fetcher=fetcher)

    def values(kind: type, html: str, text: str) -> list[dict[str, object]]:
        monkeypatch.setattr(css, "ComputedStyle", kind)
        page = Markup(html, DefaultSheet(), fetcher)
        styles = css.get_all_computed_styles(page, [sheet(text)], font_config=fonts)
        found = styles.get_computed_styles().values()
        assert {type(style) for style in found} == {kind}
        return [{name: style[name] for name in NAMES} for style in found]

    return values


@pytest.mark.parametrize("kind", PAGES)
def test_each_property_of_each_element_of_each_paper(kind, computed):
    html = PAGES[kind]()
    assert computed(ComputedStyle, html, PRINT) == computed(PLAIN, html, PRINT)


def test_what_has_a_way_of_its_own_goes_that_way(computed):
    assert computed(ComputedStyle, ODD_PAGE, ODD) == computed(PLAIN, ODD_PAGE, ODD)


def test_the_control_a_way_that_is_cut_too_short(computed, monkeypatch):
    monkeypatch.setattr("documents.rendering.styles.PHYSICAL_FUNCTIONS", {})
    assert computed(ComputedStyle, ODD_PAGE, ODD) != computed(PLAIN, ODD_PAGE, ODD)


def test_papers_are_printed_by_it_and_are_the_same_to_the_byte(monkeypatch):
    engine()
    assert css.ComputedStyle is ComputedStyle
    html = PAGES["statement"]()
    short = render(html=html, assets={})
    monkeypatch.setattr(css, "ComputedStyle", PLAIN)
    assert render(html=html, assets={}).content == short.content
