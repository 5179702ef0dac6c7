"""Parties: entered, changed, put out of use and back."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from billing.audit import acting
from billing.models import Party
from billing.services.balances import lock_balances

_ENTERED = (
    "code",
    "name",
    "email",
    "phone",
    "address",
    "country",
    "tax_id",
    "locale",
    "payment_terms_days",
    "credit_limit",
)


def save_party(*, party: Party, by: User | None) -> Party:
    """The party, new or changed. Raises ValidationError, by field: a code that is taken."""
    party.clean_fields(exclude=["company"])
    others = Party.all_objects.for_company(party.company_id).filter(code=party.code)
    if others.exclude(pk=party.pk).exists():
        raise _taken()
    options: dict[str, Any] = {} if party._state.adding else {"update_fields": [*_ENTERED]}
    try:
        with acting(by), transaction.atomic():
            party.save(**options)
    except IntegrityError as error:
        if "party_code_unique" not in str(error) and "billing_party.code" not in str(error):
            raise
        raise _taken() from error  # somebody was faster
    return party


def _taken() -> ValidationError:
    return ValidationError({"code": "There is a party with this code already."})


def deactivate_party(*, party: Party, by: User | None) -> Party:
    """Nothing can be entered for it any more; what there is stays.

    Raises ValidationError while anything is owed, in either direction: nobody would see it.
    """
    with acting(by), transaction.atomic():
        [balance] = lock_balances(company=party.company, party_ids=[party.pk])
        if balance.current:
            raise ValidationError("The party's balance is not zero: settle it first.")
        return _set_active(party, False)


def activate_party(*, party: Party, by: User | None) -> Party:
    with acting(by), transaction.atomic():
        return _set_active(party, True)


def _set_active(party: Party, active: bool) -> Party:
    rows = Party.all_objects.for_company(party.company_id)
    locked: Party = rows.select_for_update().get(pk=party.pk)
    if locked.is_active != active:
        locked.is_active = active
        locked.save(update_fields=["is_active"])
    return locked
