"""Papers speak their reader's language, or English where there is no translation."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.test import override_settings
from django.utils import translation
from django.utils.translation import trans_real
from django.utils.translation.template import templatize

from billing.selectors.statement_runs import NO_BALANCE
from billing.selectors.statements import INACTIVE, NO_MOVEMENT
from documents.languages import language_of
from tests.documents.rendering.samples import printed, statement, text_of

ROOT = Path(__file__).resolve().parents[3]
GERMAN = ROOT / "locale" / "de" / "LC_MESSAGES" / "django.po"
SOURCES = ("billing/snapshots", "documents/rendering", "documents/templatetags")
# Chosen in one language, printed in another.
REASONS = {INACTIVE, NO_BALANCE, NO_MOVEMENT}


def words_of_papers() -> set[str]:
    """Those of the e-mails that bring papers, too."""
    templates = [
        *(ROOT / "templates" / "pdf").rglob("*.html"),
        *(ROOT / "templates" / "emails" / "papers").glob("*"),
    ]
    found = {word for path in templates for word in _words(templatize(path.read_text()))}
    sources = (path for folder in SOURCES for path in (ROOT / folder).glob("*.py"))
    return found | {word for path in sources for word in _words(path.read_text())} | REASONS


def _words(source: str) -> Iterator[str]:
    keywords = {"_": None, "gettext": None}
    for _, message, _, _ in extract("python", io.BytesIO(source.encode()), keywords=keywords):
        assert isinstance(message, str), message
        yield message


def german() -> Catalog:
    with GERMAN.open("rb") as file:
        return read_po(file, locale="de", domain="django")


@pytest.fixture
def fresh_translations():
    """Catalogs are read anew, here and afterwards."""

    def forget():
        trans_real._translations = {}
        translation.trans_real._default = None

    forget()
    yield
    forget()


def test_every_word_of_a_paper_has_a_german_one():
    words, catalog = words_of_papers(), german()
    assert len(words) > 100
    assert {word for word in words if not catalog.get(word) or not catalog[word].string} == set()


def test_no_german_word_is_left_from_a_paper_that_changed():
    assert {message.id for message in german() if message.id} - words_of_papers() == set()


def test_the_placeholders_of_a_word_are_those_of_its_translation():
    assert [error for message in german() for error in message.check(german())] == []
    assert german()["Page {page} of {pages}"].string == "Seite {page} von {pages}"


def test_the_catalog_in_use_is_compiled_from_its_source():
    in_use = GERMAN.with_suffix(".mo")
    assert in_use.exists(), "run bin/setup, which compiles it"
    with in_use.open("rb") as file:
        compiled = read_mo(file)
    texts = {message.id: message.string for message in compiled if message.id}
    assert texts == {message.id: message.string for message in german() if message.id}, (
        "run bin/setup, which compiles it anew"
    )


def test_a_german_statement_is_german_throughout():
    said = text_of(printed(statement(4, locale="de_DE", currency="EUR")).content)
    for words in (
        "Kontoauszug",
        "Anfangssaldo 125,00",
        "Datum Art Referenz Beschreibung Soll Haben Saldo",
        "Rechnung INV-2011-00000",
        "Zahlung PAY-2011-00003",
        "Endsaldo 375,05",
        "Nicht fällig 1–30 Tage 31–60 Tage 61–90 Tage Über 90 Tage",
        "Offener Betrag 375,05 €",
        "Seite 1 von 1",
    ):
        assert words in said
    assert not any(word in said for word in ("Statement", "Balance", "Amount due", "Page 1"))


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("de_CH", "de"), ("de-AT", "de"), ("en_IN", "en"), ("fr_FR", "en"), ("x", "en")],
)
def test_the_language_is_the_locales_where_there_is_a_translation(locale, language):
    assert language_of(locale) == language


def test_a_language_without_a_translation_is_english_and_no_mixture():
    said = text_of(printed(statement(1, locale="fr_FR", currency="EUR")).content)
    assert "Amount due" in said
    assert "Page 1 of 1" in said


def test_without_a_compiled_catalog_papers_are_in_english(tmp_path, fresh_translations):
    with override_settings(LOCALE_PATHS=[tmp_path]):
        said = text_of(printed(statement(1, locale="de_DE", currency="EUR")).content)
    assert "Statement of account" in said
    assert "225,10 €" in said
