"""Which document is this file, and does it stand? What is no file of the company is unknown."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import models
from django.db.models.fields.json import KT

from accounts.models import Company
from documents.integrity import damage_of
from documents.models import Document, DocumentState
from documents.verification import fingerprint_of

# What a paper may say against itself, in its snapshot's `state`, and in large letters when printed.
MARKS = ("draft", "void", "cancelled")


class Outcome(StrEnum):
    VALID = "valid"
    SUPERSEDED = "superseded"
    ALTERED = "altered"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """`standing` is the version that counts now; `damage` is that of the archive's own copy."""

    outcome: Outcome
    document: Document | None = None
    standing: Document | None = None
    damage: str = ""


UNKNOWN = Verdict(Outcome.UNKNOWN)


def verify_hash(company: Company, sha256: str) -> Verdict:
    ready = Document.objects.for_company(company).filter(state=DocumentState.READY)
    document = ready.filter(sha256=sha256).order_by("-current_since").first()
    return _verdict(document) if document else UNKNOWN


def verify_claim(company: Company, fingerprint: str) -> Verdict:
    """Of a file whose hash is unknown and that names itself: not what was made, so altered."""
    ready = Document.objects.for_company(company).filter(state=DocumentState.READY)
    document = ready.filter(fingerprint=fingerprint).first() if fingerprint else None
    if document is None:
        return UNKNOWN
    verdict = _verdict(document)
    return Verdict(Outcome.ALTERED, document, verdict.standing, verdict.damage)


def issued_under(code: str) -> Document | None:
    """The paper that was made with this code, with its company and, as `issuer`, the name that is
    printed on it. The code is all that is known of it, so every company is looked through.
    """
    try:
        fingerprint = fingerprint_of(code)
    except ValueError:
        return None
    return (
        Document.objects.across_companies()
        .filter(fingerprint=fingerprint, state=DocumentState.READY)
        .select_related("company")
        .annotate(issuer=KT("snapshot__company__legal_name"), mark=_mark())
        .order_by("finished_at")
        .first()
    )


def standing_version(document: Document) -> Document:
    """Of all versions of this paper that were made, the one whose facts are the present ones;
    `mark` is what it says against itself.
    """
    versions = versions_made(document).annotate(mark=_mark())
    return versions.order_by("-current_since", "-version").first() or document


def versions_made(document: Document) -> "models.QuerySet[Document]":
    return Document.objects.for_company(document.company_id).filter(
        state=DocumentState.READY,
        kind=document.kind,
        subject_id=document.subject_id,
        period_start=document.period_start,
        period_end=document.period_end,
    )


def _mark() -> models.Case:
    return models.Case(
        models.When(snapshot__state__in=MARKS, then=KT("snapshot__state")),
        default=models.Value(""),
        output_field=models.CharField(),
    )


def _verdict(document: Document) -> Verdict:
    standing = standing_version(document)
    outcome = Outcome.VALID if standing.pk == document.pk else Outcome.SUPERSEDED
    return Verdict(outcome, document, standing, damage_of(document))
