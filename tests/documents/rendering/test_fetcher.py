"""A paper shows what it was handed, and nothing else in the world."""

import pytest

from documents.rendering import Asset, ForbiddenUrl, MissingAsset, RenderError, render
from tests.documents.rendering.samples import png


def page(body: str = "", head: str = "") -> str:
    return f"<html lang='en'><head><title>t</title>{head}</head><body>{body}</body></html>"


FORBIDDEN = [
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "http://127.0.0.1/x.png",
    "https://example.org/x.png",
    "ftp://example.org/x.png",
    "//example.org/x.png",
    "/etc/passwd",
    "../secret.png",
    "data:image/png;base64,AAAA",
    "ASSET:logo",
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_an_image_from_elsewhere_ends_the_render(url):
    with pytest.raises(ForbiddenUrl):
        render(html=page(f"<img src='{url}'/>"), assets={"logo": Asset("image/png", png())})


PLACES = {
    "attachment": page(head="<link rel='attachment' href='file:///etc/passwd'/>"),
    "stylesheet": page(head="<link rel='stylesheet' href='file:///etc/passwd'/>"),
    "import": page(head="<style>@import url(http://127.0.0.1/a.css);</style>"),
    "background": page(head="<style>body { background: url(file:///etc/passwd) }</style>"),
    "content": page(
        "<p>x</p>", head="<style>p::before { content: url(file:///etc/passwd) }</style>"
    ),
    "font": page(head="<style>@font-face { font-family: f; src: url(file:///etc/passwd) }</style>"),
    "style attribute": page("<p style='background-image: url(http://127.0.0.1/a)'>x</p>"),
    "object": page("<object data='file:///etc/passwd'></object>"),
    "embed": page("<embed src='file:///etc/passwd'/>"),
}


@pytest.mark.parametrize("html", PLACES.values(), ids=PLACES)
def test_an_address_anywhere_in_a_template_is_refused(html):
    with pytest.raises(ForbiddenUrl):
        render(html=html, assets={})


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1/a.png", "data:image/png,"])
def test_an_address_inside_an_svg_is_refused(url):
    svg = SVG.format(f'<image href="{url}" width="9" height="9"/>').encode()
    with pytest.raises(ForbiddenUrl):
        render(html=page("<img src='asset:x'/>"), assets={"x": Asset("image/svg+xml", svg)})


def test_a_stylesheet_imported_by_an_svg_is_refused():
    svg = SVG.format("<style>@import url(file:///etc/passwd);</style><rect/>").encode()
    with pytest.raises(RenderError):
        render(html=page("<img src='asset:x'/>"), assets={"x": Asset("image/svg+xml", svg)})


def test_a_font_file_named_by_an_svg_is_refused():
    rule = "@font-face { font-family: f; src: url(file:///etc/passwd) }"
    svg = SVG.format(f"<style>{rule}</style><rect/>").encode()
    with pytest.raises(ForbiddenUrl):
        render(html=page("<img src='asset:x'/>"), assets={"x": Asset("image/svg+xml", svg)})


def test_a_missing_picture_ends_the_render_each_time():
    for _ in range(2):
        with pytest.raises(MissingAsset, match="gone"):
            render(html=page("<img src='asset:gone'/>"), assets={})


def test_a_picture_missing_inside_an_svg_ends_the_render():
    svg = SVG.format('<image href="asset:gone" width="9" height="9"/>').encode()
    with pytest.raises(MissingAsset, match="gone"):
        render(html=page("<img src='asset:x'/>"), assets={"x": Asset("image/svg+xml", svg)})


def test_a_picture_that_cannot_be_read_ends_the_render_each_time():
    for _ in range(2):
        with pytest.raises(MissingAsset, match="broken"):
            render(
                html=page("<img src='asset:broken'/>"),
                assets={"broken": Asset("image/png", b"not a picture")},
            )


def test_a_picture_of_the_same_name_with_other_content_is_not_mistaken():
    html = page("<img src='asset:logo'/>")
    first = render(html=html, assets={"logo": Asset("image/png", png(size=(10, 10)))})
    other = render(html=html, assets={"logo": Asset("image/png", png(size=(90, 10)))})
    again = render(html=html, assets={"logo": Asset("image/png", png(size=(10, 10)))})
    assert first.content == again.content != other.content


def test_an_svg_picture_is_drawn():
    svg = SVG.format('<rect width="9" height="9" fill="red"/>').encode()
    assets = {"x": Asset("image/svg+xml", svg)}
    assert render(html=page("<img src='asset:x'/>"), assets=assets).pages == 1


def test_a_template_that_is_not_well_formed_is_an_error_for_people():
    with pytest.raises(RenderError, match="well-formed"):
        render(html="<html><p>x</html>", assets={})


def test_entities_do_not_expand_without_end():
    bomb = "<!DOCTYPE l [<!ENTITY a0 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
    )
    with pytest.raises(RenderError):
        render(html=f"{bomb}]><html><body>&a9;</body></html>", assets={})
