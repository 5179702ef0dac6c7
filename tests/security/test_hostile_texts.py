"""Texts that want to be something else: addresses, markup, formulas, templates, headers."""

import contextlib
import http.server
import io
import threading
import time
from collections.abc import Iterator

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.test import Client

from accounts.models import Role
from billing.forms.parties import PartyForm
from billing.numbering import validate_pattern
from billing.views.exports import cell
from documents.filenames import content_disposition
from documents.services.mail_templates import check_placeholders, one_line
from tests.documents.rendering.samples import PARTY, printed, statement
from tests.factories import member
from tests.security.world import signed_in


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """An address that notes whoever asks for it."""
    heard: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()


def hostile(url: str, file: str) -> str:
    return (
        f'"><img src="{url}/img"><link rel=stylesheet href="{url}/css"><script src="{url}/js">'
        f'</script><iframe src="{file}"></iframe><object data="{file}"></object>'
        f"<style>@import '{url}/import'; p {{ background: url({url}/bg) }}</style>"
        f'<svg><image href="{file}"/></svg><a rel="attachment" href="{file}">'
        "&xxe; {{ settings }}"
    )


def test_no_text_of_a_paper_fetches_anything_or_shows_a_file(canary, tmp_path):
    url, heard = canary
    secret = tmp_path / "secret.txt"
    secret.write_text("the-content-of-a-file")
    text = hostile(url, secret.as_uri())
    party = {**PARTY, "name": text[:200], "address_lines": [text, url], "tax_id": text}
    snapshot = statement(3, party=party)
    for line in snapshot["lines"]:
        line[2] = line[3] = text
    snapshot["company"] = {**snapshot["company"], "legal_name": text, "payment_details": [text]}
    made = printed(snapshot)
    assert heard == []
    for content in (made.content, *unpacked(made.content)):
        assert b"the-content-of-a-file" not in content
        assert b"/EmbeddedFile" not in content
        assert b"/JavaScript" not in content


def unpacked(content: bytes) -> Iterator[bytes]:
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Stream):
                yield thing.read_bytes()
            elif isinstance(thing, pikepdf.Dictionary):
                yield repr(thing).encode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_no_cell_is_a_formula_and_each_is_still_readable(start):
    written = cell(f'{start}HYPERLINK("http://evil.example")')
    assert written.startswith("'")
    assert "HYPERLINK" in written


@pytest.mark.parametrize(
    "title",
    [
        'a"; filename=evil.exe',
        "a\r\nSet-Cookie: x=1",
        "../../etc/passwd",
        "\x00.pdf",
        "\u202efdp.exe",
    ],
)
def test_a_title_ends_no_header_and_names_no_folder(title):
    header = content_disposition(title, ".pdf", inline=False)
    assert not set("\r\n\x00") & set(header)
    assert "/" not in header
    assert "\\" not in header
    assert header.count('"') == 2


def test_a_subject_is_one_line():
    assert not set("\r\n\u2028\u0085") & set(one_line("a\r\nBcc: x@evil.example\u2028b\u0085c"))


@pytest.mark.parametrize(
    "text",
    [
        "{number.__class__}",
        "{0}",
        "{party[name]}",
        "{settings}",
        "{number!r}",
        "{company:>99999999}",
    ],
)
def test_placeholders_reach_no_further_than_the_facts(text):
    with pytest.raises(ValidationError):
        check_placeholders(text)


@pytest.mark.parametrize(
    "pattern",
    ["{number.__class__}", "{0}", "{number:0999}", "{{number}}", "{year}{settings}", "{%if%}"],
)
def test_a_pattern_of_numbers_is_no_program(pattern):
    with pytest.raises(ValidationError):
        validate_pattern(pattern)


def test_what_looks_like_a_template_is_text():
    shown = Template("{{ text }}").render(Context({"text": "{{ settings.SECRET_KEY }}<b>"}))
    assert shown == "{{ settings.SECRET_KEY }}&lt;b&gt;"


LONG = [
    "a" * 1_000_000,
    "{" * 100_000,
    "{number" * 20_000,
    "a@" * 50_000,
    "-" * 100_000 + "!",
    " " * 200_000 + "x",
    "0" * 200_000,
    "\x00",
    "<" * 100_000,
    "[" * 100_000,
]


@pytest.mark.django_db
@pytest.mark.parametrize("text", LONG, ids=lambda text: f"{text[:3]!a}x{len(text)}")
def test_no_text_keeps_a_form_busy(text):
    """A second is a lot for one field; a pattern that backtracks takes hours."""
    begin = time.perf_counter()
    for check in (check_placeholders, validate_pattern):
        with contextlib.suppress(ValidationError):
            check(text)
    form = PartyForm(dict.fromkeys(PartyForm.base_fields, text), company=member().company)
    assert not form.is_valid()
    assert time.perf_counter() - begin < 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["..%2f..%2fetc%2fpasswd", "....//", "%00", "%ff", "%ed%a0%80", "a" * 9000]
)
def test_no_path_leads_anywhere_else(path):
    client = signed_in(member(Role.OWNER).user)
    for start in ("/static/", "/documents/", "/v/", "/accounts/invitation/", "/billing/papers/"):
        for who in (client, Client(raise_request_exception=False)):
            answer = who.get(start + path)
            assert answer.status_code in (301, 302, 400, 404), (start, answer.status_code)
