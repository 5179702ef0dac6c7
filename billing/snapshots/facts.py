"""What the papers of every kind show: the letterhead, the party, texts and numbers."""

import mimetypes
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts.models import Company
from billing.models import Party
from billing.money import as_text
from documents.archive import archive

Facts = dict[str, Any]


def company_facts(company: Company, *, keep: bool = True) -> Facts:
    """The letterhead. The logo is copied into the archive, where it stays as it is today.

    With `keep` off nothing is written: for reads that only ask whether a paper exists.
    """
    return {
        "legal_name": company.legal_name,
        "address_lines": company.address_lines,
        "country": company.country,
        "tax_id": company.tax_id,
        "email": company.email,
        "phone": company.phone,
        "payment_details": lines_of(company.payment_details),
        "logo": _logo(company, keep),
    }


def _logo(company: Company, keep: bool) -> dict[str, str] | None:
    if not company.logo:
        return None
    media_type = mimetypes.guess_type(str(company.logo.name))[0] or "image/png"
    place = archive().store if keep else archive().place
    with company.logo.open("rb") as file:
        stored = place(
            file.read(),
            folder=f"assets/{company.pk}",
            suffix=mimetypes.guess_extension(media_type) or ".png",
        )
    return {"key": stored.key, "sha256": stored.sha256, "media_type": media_type}


def party_facts(party: Party) -> Facts:
    return {
        "code": party.code,
        "name": party.name,
        "address_lines": party.address_lines,
        "country": party.country,
        "tax_id": party.tax_id,
        "email": party.email,
    }


def paper_facts(issuer: Facts, company: Company, party: Party, currency: str) -> Facts:
    """How every snapshot of a single record begins. `issuer` is `company_facts(company)`."""
    return {
        "schema": 1,
        "locale": party.locale or company.locale,
        "page_size": str(company.page_size),
        "currency": currency,
        "links": paper_links(),
        "company": issuer,
        "party": party_facts(party),
    }


def paper_links() -> Facts:
    """Where a paper is verified: this, and the code of its fingerprint after it."""
    return {"verify": f"{settings.SITE_URL}/v/"}


def lines_of(text: str) -> list[str]:
    """A text as its lines, without the empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def block_of(text: str) -> str:
    """A text of several lines as one string, its lines ended in one way."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def exact(number: Decimal) -> str:
    """A quantity, price or rate with the digits that it has, and no zeros after them."""
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rates_of(by_rate: Mapping[Decimal, tuple[Decimal, Decimal]], currency: str) -> list[list[str]]:
    """[rate, net, tax] a tax rate."""
    return [
        [exact(rate), as_text(net, currency), as_text(tax, currency)]
        for rate, (net, tax) in sorted(by_rate.items())
    ]
