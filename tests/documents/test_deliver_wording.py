"""What e-mails say: this site's words in the party's language, or a company's own."""

import re
from datetime import date
from decimal import Decimal

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError

from documents.models import Document, MailTemplate
from documents.services.mail_templates import (
    Words,
    check_placeholders,
    compose,
    default_words,
    filled,
    restore_default,
    save_template,
)
from tests.factories import CompanyFactory, DocumentFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return CompanyFactory.create(legal_name="Northgate Giftware Ltd")


@pytest.fixture
def invoice(company) -> Document:
    return DocumentFactory.create(
        company=company,
        kind="invoice",
        title="Invoice INV-7",
        recipient_name="Harbour & Hill",
        amount=Decimal("1234.500"),
        period_start=date(2026, 10, 1),
        period_end=date(2026, 10, 31),
        snapshot={"number": "INV-7", "due_date": "2026-11-30"},
    )


def test_every_placeholder_is_replaced_by_its_fact(company, invoice):
    text = "{party}|{company}|{title}|{kind}|{number}|{amount}|{period}|{due}"
    assert filled(Words("x", text), invoice, company).body == (
        "Harbour & Hill|Northgate Giftware Ltd|Invoice INV-7|Invoice|INV-7|£1,234.50|Oct 2026|"
        "30 Nov 2026"
    )


def test_what_a_paper_lacks_stays_empty(company):
    bare = DocumentFactory.create(company=company, amount=None, snapshot={"number": None})
    assert filled(Words("x", "[{number}{due}{amount}{period}]"), bare, company).body == "[]"


def test_what_is_put_in_is_not_read_again(company, invoice):
    invoice.recipient_name = "{amount} {nothing}"
    assert filled(Words("{party}", "{party}"), invoice, company) == Words(
        *["{amount} {nothing}"] * 2
    )


def test_a_name_does_not_break_the_subject_into_lines(company, invoice):
    invoice.recipient_name = "Ann\r\nBcc: thief@example.org\x00"
    assert filled(Words("To {party}", "x"), invoice, company).subject == (
        "To Ann Bcc: thief@example.org"
    )


@pytest.mark.parametrize(
    "text", ["{nobody}", "Dear {Party}", "{party.email}", "{0}", "{}", "{ party }"]
)
def test_an_unknown_placeholder_is_refused_and_the_known_ones_named(text):
    with pytest.raises(ValidationError, match=r"is not known. There are \{party\}, \{company\}"):
        check_placeholders(text)


@pytest.mark.parametrize("text", ["", "{party} {due}", "no braces", "a { b", "100 %s %(party)s"])
def test_other_texts_are_left_alone(text):
    check_placeholders(text)


@pytest.mark.parametrize(
    "kind", ["invoice", "statement", "payment-receipt", "challan", "unheard-of"]
)
def test_every_kind_has_words_that_hold_known_placeholders_only(kind):
    words = default_words(kind, "en_GB")
    check_placeholders(words.subject)
    check_placeholders(words.body)
    assert "Dear {party}," in words.body
    assert "&" not in words.body


def test_a_company_may_have_its_own_words_and_go_back(company, invoice):
    by = UserFactory.create()
    save_template(company=company, kind="invoice", subject="Pay {amount}", body="Now.\n", by=by)
    other = DocumentFactory.create(company=company, kind="statement")
    words = compose([invoice, other], company)
    assert words[invoice.pk] == Words("Pay £1,234.50", "Now.\n")
    assert "statement" in words[other.pk].subject
    assert restore_default(company=company, kind="invoice", by=by)
    assert not restore_default(company=company, kind="invoice", by=by)
    assert compose([invoice], company)[invoice.pk].body.startswith("Dear Harbour & Hill,")
    told = LogEntry.objects.filter(actor=by).order_by("timestamp", "id")
    assert [entry.changes["subject"] for entry in told] == [
        ["", "Pay {amount}"],
        ["Pay {amount}", ""],
    ]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("subject", "{wrong}"),
        ("body", "{wrong}"),
        ("subject", "Two\nlines"),
        ("subject", ""),
        ("body", "\x00"),
    ],
)
def test_bad_words_are_refused_beside_their_field_and_nothing_is_kept(company, field, text):
    given = {"subject": "Fine", "body": "Fine", field: text}
    with pytest.raises(ValidationError) as error:
        save_template(company=company, kind="invoice", by=None, **given)
    assert list(error.value.message_dict) == [field]
    assert not MailTemplate.objects.exists()


def test_the_words_cost_the_same_queries_for_many(company, django_assert_num_queries):
    documents = DocumentFactory.create_batch(20, company=company)
    with django_assert_num_queries(2):
        compose(documents, company)


def test_a_german_party_reads_german_and_the_company_its_own_language(company):
    words = compose([DocumentFactory.create(company=company, locale="de_CH")], company)
    [german] = words.values()
    assert german.body.startswith("Guten Tag Customer")
    assert "Mit freundlichen Grüßen\nNorthgate Giftware Ltd" in german.body


@pytest.mark.parametrize("kind", ["invoice", "statement", "challan"])
def test_translations_hold_the_same_placeholders(kind):
    placeholders = [
        sorted(re.findall(r"{\w+}", words.subject + words.body))
        for words in (default_words(kind, "en"), default_words(kind, "de"))
    ]
    assert placeholders[0] == placeholders[1]
    assert default_words(kind, "de") != default_words(kind, "en")
