"""How a company's e-mails go out, and a try of it."""

from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.audit import note
from accounts.models import Company, User
from documents.models import MailSettings
from documents.services.mail_messages import address_of, message_of
from documents.services.mailing import AnswerLost, Refused, Unreachable, post

_CHOSEN = ("from_name", "from_address", "reply_to", "per_minute")


def change_mail_settings(*, company: Company, by: User | None, **fields: Any) -> MailSettings:
    """From the next e-mail on. Raises ValidationError, by field."""
    with transaction.atomic():
        MailSettings.objects.get_or_create(company=company)
        row = MailSettings.objects.select_for_update().get(company=company)
        before = {name: str(getattr(row, name)) for name in _CHOSEN}
        for name in _CHOSEN:
            setattr(row, name, fields.get(name, getattr(row, name)))
        row.clean_fields()
        row.save(update_fields=_CHOSEN)
        changes = {
            name: (before[name], str(getattr(row, name)))
            for name in _CHOSEN
            if before[name] != str(getattr(row, name))
        }
        if changes:
            note([row], changes, by)
    return row


def send_test(*, company: Company, to: User) -> str:
    """An e-mail to oneself, at once. What the server said; ValidationError where it did not go."""
    message = message_of(
        company,
        to=address_of(to.name, to.email),
        subject=f"A test from {company}",
        body="This is how e-mails from Pressroom reach your customers.\n",
        message_id=f"{uuid4()}@test.invalid",
    )
    try:
        return post(message, hand_over=lambda: True)
    except Unreachable as error:
        raise ValidationError(f"The mail server could not be reached: {error}") from error
    except Refused as error:
        raise ValidationError(f"The mail server refused it: {error.answer}") from error
    except AnswerLost as error:
        raise ValidationError(f"The mail server did not answer: {error}") from error
