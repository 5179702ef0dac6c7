"""How a company sells: what may change at any time, and what not once there are books."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Company, User
from accounts.services import change_company
from billing.audit import acting
from billing.models import Balance, Challan, Invoice, Payment, Return


def change_selling(*, company: Company, by: User | None, **fields: Any) -> Company:
    """Raises ValidationError for another currency where something is entered already."""
    if fields.get("currency", company.currency) != company.currency and _has_books(company):
        raise ValidationError(
            {"currency": f"The books are kept in {company.currency}: it can't be changed any more."}
        )
    with acting(by):
        return change_company(company=company, **fields)


def change_number_patterns(
    *, company: Company, patterns: dict[str, str], by: User | None
) -> Company:
    """Of the numbers to come; those that were taken stay as they are."""
    with acting(by):
        return change_company(company=company, number_patterns=patterns)


def _has_books(company: Company) -> bool:
    records = (Invoice, Payment, Return, Challan)
    if any(model.all_objects.for_company(company).exists() for model in records):
        return True
    return Balance.objects.for_company(company).exclude(opening=0).exists()
