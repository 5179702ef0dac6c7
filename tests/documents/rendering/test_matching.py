"""Rules that are remembered by the way to an element are those that matching finds anew."""

from pathlib import Path
from xml.etree import ElementTree

import cssselect2
import pytest
from weasyprint import CSS

from documents.rendering.fetcher import AssetFetcher
from documents.rendering.markup import DEFAULT_SHEET
from documents.rendering.matching import Element, Matcher
from documents.rendering.paper import paper_html
from tests.billing.paper_samples import SNAPSHOTS
from tests.documents.rendering.samples import statement

PRINT = Path("templates/pdf/print.css").read_text()
PAGES = {
    "statement": lambda: paper_html(template="pdf/statement.html", snapshot=statement(12)),
    **{
        kind: lambda kind=kind: paper_html(template=f"pdf/{kind}.html", snapshot=SNAPSHOTS[kind]())
        for kind in SNAPSHOTS
    },
}


def sheet(text: str, matcher: cssselect2.Matcher) -> CSS:
    return CSS(string=text, matcher=matcher, url_fetcher=AssetFetcher({}))


def page(html: str) -> Element:
    return Element.from_html_root(ElementTree.fromstring(html), content_language=None)


def rules_of(css: CSS, element: Element) -> list[tuple[object, ...]]:
    return [(*found[:3], str(found[3])) for found in css.matcher.match(element)]


@pytest.mark.parametrize("text", [DEFAULT_SHEET, PRINT], ids=["default", "print"])
@pytest.mark.parametrize("kind", PAGES)
def test_each_element_of_each_paper_has_the_rules_that_a_plain_match_finds(kind, text):
    plain, remembering = sheet(text, cssselect2.Matcher()), sheet(text, Matcher())
    elements = list(page(PAGES[kind]()).iter_subtree())
    assert len(elements) > 50
    for element in elements:
        assert rules_of(remembering, element) == rules_of(plain, element)


def test_a_row_like_one_before_is_not_matched_again(monkeypatch):
    asked = []
    plain = cssselect2.Matcher.match
    monkeypatch.setattr(
        cssselect2.Matcher, "match", lambda self, one: asked.append(one) or plain(self, one)
    )
    css = sheet(PRINT, Matcher())
    for html in (PAGES["statement"](), PAGES["statement"]()):
        for element in page(html).iter_subtree():
            css.matcher.match(element)
    assert len(asked) == len({element.way for element in asked})


def test_elements_of_one_class_in_two_places_are_told_apart():
    root = page("<html><p class='n'/><div><p class='n'/><p class='n'/></div></html>")
    found = list(root.iter_subtree())
    above, below, beside = (element.way for element in found if element.local_name == "p")
    assert above != below == beside


def test_what_the_head_holds_is_found_and_nothing_below_it():
    root = page("<html><head><title>A</title><meta/></head><body><title>B</title></body></html>")
    assert [one.etree_element.text for one in root.query_all("title", "link")] == ["A"]
