"""Where a party's papers are e-mailed to."""

from collections.abc import Collection, Mapping
from uuid import UUID

from accounts.models import Company
from billing.models import Party


def party_addresses(company: Company, parties: Collection[UUID]) -> Mapping[UUID, str]:
    """The addresses of those of `parties` that are in use and have one, by id."""
    rows = Party.objects.for_company(company).filter(pk__in=parties).exclude(email="")
    return dict(rows.values_list("pk", "email"))
