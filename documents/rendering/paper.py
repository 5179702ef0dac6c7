"""A paper from its snapshot: clean the text, check the glyphs, fill the template, render."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.template.loader import render_to_string

from documents.formatting import direction, language_tag
from documents.languages import speaking
from documents.rendering.codes import QR, links_of, qr_code
from documents.rendering.loading import engine, import_engine
from documents.rendering.text import checked
from documents.rendering.types import Asset, Rendered


def preload() -> None:
    """Import WeasyPrint in a worker's parent process, whose children then share its memory."""
    import_engine()


def warm_up() -> None:
    """Import, read the fonts and stylesheets, render one page. The second call costs nothing."""
    engine().warm_up()


def render(*, html: str, assets: Mapping[str, Asset], fingerprint: str = "") -> Rendered:
    """The PDF of a well-formed XHTML page from a template of ours.

    Pictures are `<img src="asset:NAME"/>`. The fingerprint, if any, is kept in the PDF's
    information dictionary. Raises RenderError.
    """
    return engine().render(html, assets, fingerprint)


def render_paper(
    *,
    template: str,
    snapshot: Mapping[str, Any],
    assets: Mapping[str, Asset],
    fingerprint: str = "",
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Rendered:
    """The PDF of a snapshot. Reads the snapshot and the assets, nothing else. Raises RenderError.

    `template` is a name for Django's loaders, such as `pdf/statement.html`; `fingerprint` is that
    of the snapshot, from which the paper's codes are made; `labels` are words for its fields.
    """
    clean = checked(snapshot, engine().glyphs.uncovered, labels)
    html = paper_html(template=template, snapshot=clean, fingerprint=fingerprint)
    scan = links_of(clean, fingerprint).scan
    pictures = {**assets, QR: qr_code(scan)} if f"asset:{QR}" in html else assets
    return render(html=html, assets=pictures, fingerprint=fingerprint)


def paper_html(*, template: str, snapshot: Mapping[str, Any], fingerprint: str = "") -> str:
    """The filled template, in the snapshot's language."""
    locale = str(snapshot["locale"])
    context = {
        "s": snapshot,
        "lang": language_tag(locale),
        "direction": direction(locale),
        "links": links_of(snapshot, fingerprint),
    }
    with speaking(locale):
        return render_to_string(template, context)
