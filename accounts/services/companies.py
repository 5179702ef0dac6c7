"""Changing the company's own facts."""

from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction

from accounts.models import Company


def change_company(*, company: Company, **fields: Any) -> Company:
    """Set these fields and no other: two people may change different ones at once."""
    with transaction.atomic():
        locked: Company = Company.objects.select_for_update().get(pk=company.pk)
        for name, value in fields.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(fields))
    return locked


def set_logo(*, company: Company, logo: ContentFile[bytes]) -> Company:
    """`logo` as `accounts.logos.clean_logo` gives it. The old file goes once this is committed.

    Papers that show the old one keep their own copy in the archive.
    """
    with transaction.atomic():
        locked: Company = Company.objects.select_for_update().get(pk=company.pk)
        _delete_on_commit(locked)
        locked.logo.save(f"{locked.pk}-{logo.name}", logo, save=False)
        locked.save(update_fields=["logo"])
    return locked


def remove_logo(*, company: Company) -> Company:
    with transaction.atomic():
        locked: Company = Company.objects.select_for_update().get(pk=company.pk)
        _delete_on_commit(locked)
        locked.logo = ""
        locked.save(update_fields=["logo"])
    return locked


def _delete_on_commit(company: Company) -> None:
    if not company.logo:
        return
    storage: Storage = company.logo.storage
    name = str(company.logo.name)
    transaction.on_commit(lambda: storage.delete(name), robust=True)
