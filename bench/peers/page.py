"""The page that a web developer writes first: for WeasyPrint, wkhtmltopdf and Chromium alike."""

import base64
from html import escape

from bench.content import Content, Row
from bench.peers import qr_png

_STYLE = """
@page { size: A4; margin: 15mm }
@page { @bottom-right { content: "Page " counter(page) " of " counter(pages) } }
body { font-family: "Noto Sans", sans-serif; font-size: 9pt; line-height: 1.4; color: #222 }
.header { display: flex; justify-content: space-between; margin-bottom: 20px }
.sender { text-align: right }
h1 { font-size: 18pt; color: #16395f }
table { width: 100%; border-collapse: collapse; margin-bottom: 16px }
th { background-color: #16395f; color: white; text-align: left }
th, td { padding: 4px 6px; border: 1px solid #ddd }
table.lines tbody tr:nth-child(even) { background-color: #f5f7fa }
td.number, th.number { text-align: right }
.logo { max-width: 75mm; max-height: 24mm }
.foot { font-size: 6pt; color: #5b6673 }
.sums { width: 45%; margin-left: auto }
.sums td:first-child { font-weight: bold }
"""


def page(content: Content) -> str:
    """Pictures are in it, so that no engine has to fetch one."""
    title = f"<meta charset='utf-8'><title>{escape(content.title)}</title>"
    head = f"<head>{title}<style>{_STYLE}</style></head>"
    return f"<!DOCTYPE html><html lang='en'>{head}<body>{_body(content)}</body></html>"


def _body(content: Content) -> str:
    rows = "".join(f"<tr>{_cells('td', row, content)}</tr>" for row in content.rows)
    more = "".join(f"<tr>{_cells('td', row, content)}</tr>" for row in content.more)
    return (
        f"<div class='header'><img class='logo' src='{_png(content.logo)}'>"
        f"<div class='sender'>{_lines(content.sender)}</div></div>"
        f"<div class='recipient'>{_lines(content.recipient)}</div>"
        f"<h1>{escape(content.title)}</h1>"
        f"<table class='facts'>{_pairs(content.facts)}</table>"
        f"<table class='lines'><thead><tr>{_cells('th', content.columns, content)}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        f"<table class='sums'>{_pairs(content.sums)}</table>"
        f"<table class='more'>{more}</table>"
        f"<div class='texts'>{_lines(content.texts)}</div>{_code(content.code)}"
        f"<div class='foot'>{escape(content.foot)}</div>"
    )


def _lines(lines: list[str]) -> str:
    return "".join(f"<div>{escape(line)}</div>" for line in lines)


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return "".join(
        f"<tr><td>{escape(label)}</td><td class='number'>{escape(value)}</td></tr>"
        for label, value in pairs
    )


def _cells(tag: str, row: Row, content: Content) -> str:
    return "".join(
        f"<{tag} class='{'number' if place in content.numeric else 'text'}'>{escape(text)}</{tag}>"
        for place, text in enumerate(row)
    )


def _code(text: str) -> str:
    if not text:
        return ""
    return f"<img width='90' height='90' src='{_png(qr_png(text))}'>"


def _png(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
