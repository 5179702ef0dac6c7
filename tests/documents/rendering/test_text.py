"""Whatever people type is printed as they typed it, or refused by name. It is never markup."""

import time

import pytest

from documents.rendering import MissingGlyph, RenderError, render, render_paper
from tests.documents.rendering.samples import drawn_glyphs, printed, statement, text_of

FIELDS = [
    "company.legal_name",
    "company.address_lines.0",
    "company.tax_id",
    "company.email",
    "company.phone",
    "company.payment_details.0",
    "party.code",
    "party.name",
    "party.address_lines.0",
    "party.tax_id",
    "lines.0.2",
    "lines.0.3",
]
SCRIPTS = {
    "Latin": "Żółć Ünïcødé ß",
    "Cyrillic": "Кириллица Щука",
    "Greek": "Ελληνικά Ωμέγα",
    "Devanagari": "हिन्दी क्षत्रिय",
    "Bengali": "বাংলা কর্তৃপক্ষ",
    "Arabic": "العربية ١٢٣",
    "Hebrew": "עברית שלום",
    "Thai": "ภาษาไทย น้ำใจ",
    "Chinese": "简体中文 繁體 骨直",
    "Japanese": "日本語 カタカナ ひらがな",
    "Korean": "한국어 문서",
    "money": "₹ € £ ¥ ₪ ₩ ₽ № – “x” …",
    "decomposed": "e\u0301 n\u0303 A\u030a",
}


def with_text(path: str, text: str, **changes):
    snapshot = statement(2, **changes)
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    target = snapshot
    for step in way:
        target = target[step]
    target[last] = text
    return snapshot


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("field", ["lines.0.3", "party.name"])
def test_every_script_is_drawn_from_real_glyphs(field, text):
    paper = printed(with_text(field, text))
    for font, glyph in drawn_glyphs(paper.content):
        assert 0 < glyph < font["maxp"].numGlyphs


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "&lt;b>&amp; ]]> '\"", "{{ s }} {% now %}", "</td></tr>"]
)
def test_markup_in_a_field_is_printed_as_text(field, text):
    paper = printed(with_text(field, text))
    squeezed = text_of(paper.content, "-raw").replace(" ", "")
    assert text.replace(" ", "") in squeezed


@pytest.mark.parametrize("field", FIELDS)
def test_an_endless_word_is_cut_and_soon_printed(field):
    started = time.monotonic()
    paper = printed(with_text(field, "W" * 200_000))
    assert paper.pages <= 3
    assert len(paper.content) < 100_000
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\ud800", "\uffff", "\x0c"])
def test_a_control_character_is_refused_with_its_field(field, character):
    with pytest.raises(RenderError) as refused:
        printed(with_text(field, f"a{character}b"))
    assert field in refused.value.reason
    assert f"U+{ord(character):04X}" in refused.value.reason


@pytest.mark.parametrize("field", FIELDS)
def test_a_character_without_glyph_is_named_with_its_field(field):
    with pytest.raises(MissingGlyph) as refused:
        printed(with_text(field, "Thank you \U0001f9fe"))
    assert refused.value.reason == (
        f"The field {field} holds “\U0001f9fe” U+1F9FE (RECEIPT), "
        "which no installed font can print."
    )


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("party.name", "Party's name"),
        ("party.address_lines.0", "Party's address"),
        ("lines.0.3", "Description"),
    ],
)
def test_a_field_that_has_a_word_is_named_by_it(field, word):
    words = {"party.name": "Party's name", "party.address_lines": "Party's address"}
    with pytest.raises(MissingGlyph) as refused:
        render_paper(
            template="pdf/statement.html",
            snapshot=with_text(field, "Thank you \U0001f9fe"),
            assets={},
            labels={**words, "lines.3": "Description"},
        )
    assert refused.value.reason.startswith(f"“{word}” holds “\U0001f9fe”")


@pytest.mark.parametrize("character", ["\ue000", "\u0378", "\U000e1000"])
def test_private_and_unassigned_characters_are_refused(character):
    with pytest.raises(MissingGlyph, match=f"U\\+{ord(character):04X}"):
        printed(with_text("lines.0.3", character))


@pytest.mark.parametrize(
    "character", ["\u200b", "\u200d", "\u200e", "\u00ad", "\ufeff", "\ufe0f", "\u2060", "\u3164"]
)
def test_invisible_characters_are_no_false_alarm(character):
    assert printed(with_text("lines.0.3", f"Goods{character} supplied")).pages == 1


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("override", ["\u202e", "\u202d", "\u202a", "\u2066", "\u2067", "\u2069"])
def test_bidi_controls_turn_nothing_round(field, override):
    plain = printed(with_text(field, "INV-100"))
    assert printed(with_text(field, f"INV{override}-100")).content == plain.content


def test_separators_are_spaces():
    spaced = printed(with_text("lines.0.3", "Goods supplied"))
    assert printed(with_text("lines.0.3", "Goods\u2028supplied")).content == spaced.content


def test_a_reference_of_ordinary_length_is_found_by_search():
    reference = "INV-2011-536365"
    assert reference in text_of(printed(with_text("lines.0.2", reference)).content)


@pytest.mark.parametrize("reference", ["R" * 60, "REF/2011/ABCDEFGH-0001-0002-0003/XYZ"])
def test_a_long_reference_is_broken_not_lost(reference):
    text = text_of(printed(with_text("lines.0.2", reference)).content)
    assert sum(text.count(letter) for letter in "R") >= reference.count("R")


def test_an_unknown_locale_prints_in_english():
    paper = printed(statement(1, locale="<b>;{}"))
    assert "Statement of account" in text_of(paper.content)


def test_a_fixed_word_of_a_template_that_no_font_can_print_ends_the_render():
    html = "<html lang='en'><head><title>t</title></head><body>Total \U0001f9fe</body></html>"
    with pytest.raises(MissingGlyph, match=r"U\+1F9FE, RECEIPT"):
        render(html=html, assets={})
