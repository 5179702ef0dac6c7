"""What a member may do, and their leaving. A company always keeps an owner."""

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Company, Membership, Role


def change_role(*, membership: Membership, role: Role) -> Membership:
    """Raises ValidationError if the company would have no owner left."""
    with transaction.atomic():
        owners = _locked_owners(membership.company)
        locked = _locked(membership)
        if role != Role.OWNER:
            _require_another_owner(owners, locked)
        locked.role = role
        locked.save(update_fields=["role"])
    return locked


def remove_member(*, membership: Membership) -> None:
    """The member's rights end with the next request. Raises ValidationError for the last owner."""
    with transaction.atomic():
        owners = _locked_owners(membership.company)
        locked = _locked(membership)
        _require_another_owner(owners, locked)
        locked.delete()


def _locked_owners(company: Company) -> list[Membership]:
    """Held until the end, in one order: two owners who remove each other do so one by one."""
    rows = Membership.objects.filter(company=company, role=Role.OWNER)
    return list(rows.order_by("pk").select_for_update())


def _locked(membership: Membership) -> Membership:
    found = Membership.objects.select_for_update().filter(pk=membership.pk).first()
    if found is None:
        raise ValidationError("This member was removed meanwhile.")
    return found


def _require_another_owner(owners: list[Membership], membership: Membership) -> None:
    if membership.role == Role.OWNER and all(owner.pk == membership.pk for owner in owners):
        raise ValidationError("A company needs an owner: make somebody else one first.")
