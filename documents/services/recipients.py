"""Where an e-mail may go."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Company
from documents.models import Delivery, Document
from documents.papers import addresses_of

NO_ADDRESS = "This party has no e-mail address."
BAD_ADDRESS = "This party's e-mail address can't be sent to:"
# What the snapshot of a paper says that must not leave the house yet.
DRAFT = "draft"
IS_A_DRAFT = "It is a draft: only what is issued is sent."
_MOST = 254


def address_problem(address: str) -> str:
    """Why nothing can be sent to `address`, in a clerk's words; nothing if it can."""
    if not address:
        return NO_ADDRESS
    try:
        validate_email(address)
    except ValidationError:
        return f"{BAD_ADDRESS} {address!r}."
    return "" if address.isascii() else f"{BAD_ADDRESS} {address!r}."


def present_addresses(
    company: Company, rows: Sequence[Delivery] | Sequence[Document]
) -> Mapping[UUID, str]:
    """What the address book says now of the recipients of `rows`, cut to what a row holds."""
    book = addresses_of(company, {row.recipient_id for row in rows})
    return {recipient: address.strip()[:_MOST] for recipient, address in book.items()}
