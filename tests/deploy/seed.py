"""Books of a company with an owner, for `manage shell`: prints the company's slug."""

import sys

from accounts.models import Membership, Role, User
from bench.data import books

EMAIL, PASSWORD = "owner@billing.test", "harbour-vale-2026"


def seed(parties: int) -> None:
    company = books(parties)
    owner = User.objects.create_user(EMAIL, PASSWORD)
    Membership.objects.create(user=owner, company=company, role=Role.OWNER)
    sys.stdout.write(company.slug)
