"""Engines with a language of their own: ReportLab (no complex scripts) and Typst."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.content import Content
from bench.peers import Missing, PrintIt, qr_png


@contextmanager
def reportlab() -> Iterator[PrintIt]:
    """Platypus with a table, in one of the fonts that every PDF reader has."""
    try:
        from reportlab.lib import colors, pagesizes, styles, units
        from reportlab.platypus import Image, Paragraph, SimpleDocTemplate, Spacer, Table
    except ImportError:
        raise Missing("reportlab is not installed") from None
    sheet = styles.getSampleStyleSheet()

    def table(rows: list[list[str]], numeric: frozenset[int], **options: Any) -> Any:
        look: list[Any] = [
            ("GRID", (0, 0), (-1, -1), 0.25, colors.lightgrey),
            ("FONTSIZE", (0, 0), (-1, -1), 8.5),
        ]
        look += [("ALIGN", (place, 0), (place, -1), "RIGHT") for place in numeric]
        return Table(rows, style=look, **options)

    def print_it(content: Content) -> bytes:
        file = io.BytesIO()
        story: list[Any] = [Image(io.BytesIO(content.logo), 60 * units.mm, 16 * units.mm)]
        story += [Paragraph(line, sheet["Normal"]) for line in content.sender]
        story += [Spacer(1, 5 * units.mm)]
        story += [Paragraph(line, sheet["Normal"]) for line in content.recipient]
        story += [Paragraph(content.title, sheet["Title"])]
        story += [table([list(pair) for pair in content.facts], frozenset({1}), hAlign="LEFT")]
        story += [Spacer(1, 5 * units.mm)]
        story += [table([content.columns, *content.rows], content.numeric, repeatRows=1)]
        if content.sums:
            story += [table([list(pair) for pair in content.sums], frozenset({1}), hAlign="RIGHT")]
        if content.more:
            story += [table(content.more, frozenset({1, 2}), hAlign="LEFT")]
        story += [Paragraph(line, sheet["Normal"]) for line in (*content.texts, content.foot)]
        if content.code:
            picture = io.BytesIO(qr_png(content.code))
            story += [Image(picture, 24 * units.mm, 24 * units.mm)]
        SimpleDocTemplate(file, pagesize=pagesizes.A4).build(story)
        return file.getvalue()

    yield print_it


@contextmanager
def typst() -> Iterator[PrintIt]:
    """One compiler for all; the content is handed over as data."""
    try:
        import json
        import tempfile
        from pathlib import Path

        from typst import Compiler
    except ImportError:
        raise Missing("typst is not installed") from None
    with tempfile.TemporaryDirectory(prefix="typst-") as folder:
        template = Path(folder) / "paper.typ"
        template.write_text(_TEMPLATE)
        compiler = Compiler(str(template), root=folder)

        def print_it(content: Content) -> bytes:
            if content.code:
                (Path(folder) / "qr.png").write_bytes(qr_png(content.code))
            (Path(folder) / "logo.png").write_bytes(content.logo)
            data = {**vars(content), "numeric": sorted(content.numeric), "logo": ""}
            made = compiler.compile(format="pdf", sys_inputs={"data": json.dumps(data)})
            assert isinstance(made, bytes)
            return made

        yield print_it


_TEMPLATE = """
#let d = json(bytes(sys.inputs.data))
#let pages = context align(right, counter(page).display("1 of 1", both: true))
#set page(paper: "a4", margin: 15mm, footer: pages)
#set text(font: "Noto Sans", size: 8.5pt)
#image("logo.png", height: 16mm)
#align(right, for line in d.sender [#line \\ ])
#for line in d.recipient [#line \\ ]
= #d.title
#table(columns: 2, ..d.facts.flatten())
#table(
  columns: (auto,) * d.columns.len(),
  stroke: 0.25pt + gray,
  align: (x, y) => if x in d.numeric { right } else { left },
  table.header(..d.columns.map(name => [*#name*])),
  ..d.rows.flatten(),
)
#if d.sums.len() > 0 { align(right, table(columns: 2, ..d.sums.flatten())) }
#if d.more.len() > 0 { table(columns: d.more.at(0).len(), ..d.more.flatten()) }
#for line in d.texts [#line \\ ]
#text(size: 6pt, d.foot)
#if d.code != "" { image("qr.png", width: 24mm) }
"""
