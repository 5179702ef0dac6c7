"""What the e-mail with a paper says: a company's own words for a kind, or those of this site.

Placeholders stand in braces and are replaced in one pass: what is put in is never read again.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.template.loader import select_template

from accounts.audit import note
from accounts.models import Company, User
from documents import formatting
from documents.languages import language_of, speaking
from documents.models import Document, MailTemplate
from documents.templatetags import display

PLACEHOLDERS = {
    "party": "the party's name",
    "company": "your company's name",
    "title": "the paper's title",
    "kind": "the kind of paper",
    "number": "the paper's number, where it has one",
    "amount": "its amount with the currency",
    "period": "its period",
    "due": "the day on which it is due",
}
_PLACEHOLDER = re.compile(r"\{([^{}\n]{0,60})\}")
_JOINERS = "\u200c\u200d"
_MOST_IN_SUBJECT = 250


@dataclass(frozen=True)
class Words:
    subject: str
    body: str


def one_line(text: str) -> str:
    """Without line ends, control and direction characters: safe in a header."""
    return " ".join(
        "".join(
            " " if unicodedata.category(char)[0] == "C" and char not in _JOINERS else char
            for char in text
        ).split()
    )


def check_placeholders(text: str) -> None:
    """Raises ValidationError that names the first unknown placeholder, and those there are."""
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValidationError(f"{{{unknown[0]}}} is not known. There are {known}.")


def default_words(kind: str, locale: str) -> Words:
    """This site's words for a kind of paper, in the reader's language where there is one."""
    template = select_template([f"emails/papers/{kind}.txt", "emails/papers/any.txt"])
    with speaking(locale):
        subject, _, body = template.render().strip().partition("\n")
    return Words(subject=subject.strip(), body=f"{body.strip()}\n")


def words_of(company: Company, kind: str, locale: str) -> Words:
    own = MailTemplate.objects.filter(company=company, kind=kind).first()
    return Words(own.subject, own.body) if own else default_words(kind, locale)


def filled(words: Words, document: Document, company: Company) -> Words:
    """`words` with the facts of one paper."""
    [facts] = _facts([document], company).values()
    return _fill(words, facts)


def compose(documents: Sequence[Document], company: Company) -> dict[UUID, Words]:
    """The subject and body for each of `documents`, by id. Three queries, however many."""
    own = {row.kind: row for row in MailTemplate.objects.filter(company=company)}
    defaults: dict[tuple[str, str], Words] = {}
    composed = {}
    facts = _facts(documents, company)
    for document in documents:
        key = (document.kind, language_of(document.locale))
        if document.kind in own:
            words = Words(own[document.kind].subject, own[document.kind].body)
        else:
            words = defaults.get(key) or defaults.setdefault(
                key, default_words(document.kind, document.locale)
            )
        composed[document.pk] = _fill(words, facts[document.pk])
    return composed


def save_template(
    *, company: Company, kind: str, subject: str, body: str, by: User | None
) -> MailTemplate:
    """The company's own words from now on. Raises ValidationError, by field."""
    with transaction.atomic():
        before = MailTemplate.objects.select_for_update().filter(company=company, kind=kind).first()
        row = before or MailTemplate(company=company, kind=kind)
        said = {"subject": row.subject, "body": row.body}
        row.subject, row.body = subject, body
        row.clean_fields()
        for name in said:
            _check_field(name, getattr(row, name))
        # Of two who save at once the second wins, as it would a moment later.
        row, _ = MailTemplate.objects.update_or_create(
            company=company,
            kind=kind,
            defaults={"subject": subject, "body": body, "updated_at": Now()},
        )
        after = {"subject": subject, "body": body}
        note(
            [row],
            {name: (said[name], after[name]) for name in said if said[name] != after[name]},
            by,
        )
    return row


def restore_default(*, company: Company, kind: str, by: User | None) -> bool:
    """This site's words again. False: they were in use already."""
    with transaction.atomic():
        row = MailTemplate.objects.select_for_update().filter(company=company, kind=kind).first()
        if row is None:
            return False
        note([row], {"subject": (row.subject, ""), "body": (row.body, "")}, by)
        row.delete()
    return True


def _check_field(name: str, text: str) -> None:
    try:
        check_placeholders(text)
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from error


def _fill(words: Words, facts: Mapping[str, str]) -> Words:
    def fact(match: re.Match[str]) -> str:
        return facts.get(match[1], match[0])

    subject = one_line(_PLACEHOLDER.sub(fact, words.subject))
    return Words(subject[:_MOST_IN_SUBJECT], _PLACEHOLDER.sub(fact, words.body))


def _facts(documents: Sequence[Document], company: Company) -> dict[UUID, dict[str, str]]:
    """Number and due day are read out of the snapshots, in the database: these are large."""
    read = Document.objects.for_company(company).filter(pk__in=[row.pk for row in documents])
    inside = {
        pk: (number, due)
        for pk, number, due in read.values_list("pk", "snapshot__number", "snapshot__due_date")
    }
    return {
        row.pk: {name: one_line(text) for name, text in _of_paper(row, company, inside[row.pk])}
        for row in documents
    }


def _of_paper(
    document: Document, company: Company, inside: tuple[Any, Any]
) -> Iterator[tuple[str, str]]:
    number, due = (value if isinstance(value, str) else "" for value in inside)
    locale = document.locale
    yield "party", document.recipient_name
    yield "company", company.legal_name
    yield "title", document.title
    yield "kind", display.paper_label(document.kind)
    yield "number", number
    yield "amount", _amount(document)
    yield "period", display.period(document.period_start, document.period_end, locale)
    yield "due", _day(due, locale)


def _amount(document: Document) -> str:
    if document.amount is None:
        return ""
    return formatting.money(document.amount.normalize(), document.currency, document.locale)


def _day(text: str, locale: str) -> str:
    try:
        return formatting.date(date.fromisoformat(text), locale) if text else ""
    except ValueError:
        return ""
