"""The period lock: nothing is posted, changed or voided up to the day that the books are closed."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.models import Company, User
from billing.audit import acting
from billing.dates import today

# Django has no weaker row lock than FOR UPDATE, which would let one posting in at a time.
_SHARED = "SELECT books_closed_until FROM accounts_company WHERE id = %s FOR KEY SHARE"


def close_books(*, company: Company, until: date | None, by: User | None) -> Company:
    """Close the books up to and including `until`; an earlier day, or None, opens them again.

    Waits for the postings under way. Raises ValidationError for a day in the future.
    """
    if until is not None and until > today(company):
        raise ValidationError({"until": "The date is in the future."})
    with acting(by), transaction.atomic():
        locked: Company = Company.objects.select_for_update().get(pk=company.pk)
        locked.books_closed_until = until
        locked.save(update_fields=["books_closed_until"])
    company.books_closed_until = until
    return locked


def close_books_through(*, company: Company, until: date, by: User | None) -> Company:
    """As `close_books`, but what somebody closed further meanwhile stays closed."""
    with transaction.atomic():
        locked = Company.objects.select_for_update().get(pk=company.pk)
        if locked.books_closed_until is not None and locked.books_closed_until >= until:
            return locked
        return close_books(company=company, until=until, by=by)


def require_open(*, company: Company, day: date | None, field: str) -> None:
    """Raises ValidationError for `field` if the books are closed on `day` (None: since ever).

    Within a transaction they stay as they are until its end.
    """
    until = closed_until(company)
    if until is not None and (day is None or day <= until):
        raise ValidationError({field: f"The books are closed up to {until.isoformat()}."})


def closed_until(company: Company) -> date | None:
    """The last closed day, as the database has it now, and held until the transaction ends."""
    if connection.in_atomic_block and connection.features.has_select_for_update:
        with connection.cursor() as cursor:
            cursor.execute(_SHARED, [company.pk])
            [(until,)] = cursor.fetchall()
    else:  # on SQLite a transaction that writes is alone
        until = Company.objects.values_list("books_closed_until", flat=True).get(pk=company.pk)
    found: date | None = until
    return found
