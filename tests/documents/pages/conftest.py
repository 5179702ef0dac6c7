"""A company with an owner, a colleague who may only look, and a stranger from elsewhere."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Company, Membership, Role
from documents import papers
from tests.factories import CompanyFactory, member
from worker.broker import queue_names
from worker.models import Presence


@pytest.fixture(autouse=True)
def archive_of_this_test(settings, tmp_path: Path) -> None:
    settings.ARCHIVE_DIR = tmp_path / "archive"


@pytest.fixture(autouse=True)
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of paper that these tests own."""
    kind = papers.PaperKind(name="letter", label="Letter", template="none.html", version=1)
    monkeypatch.setitem(papers._registry.papers, "letter", kind)


@pytest.fixture
def company(db: None) -> Company:
    return CompanyFactory.create(legal_name="Thornbury Paper Ltd")


@pytest.fixture
def owner(company: Company) -> Membership:
    return member(Role.OWNER, company=company)


def signed_in(membership: Membership) -> Client:
    client = Client()
    client.force_login(membership.user)
    return client


@pytest.fixture
def client(owner: Membership) -> Client:
    return signed_in(owner)


@pytest.fixture
def viewer_client(company: Company) -> Client:
    return signed_in(member(Role.VIEWER, company=company))


@pytest.fixture
def stranger_client(db: None) -> Client:
    return signed_in(member(Role.OWNER))


@pytest.fixture
def heard(db: None) -> None:
    """A worker listens to every queue: without one, pages look for what waits unheard."""
    later = timezone.now() + timedelta(hours=1)  # however long the test takes
    Presence.objects.create(
        name="w", role="worker", host="h", pid=1, queues=queue_names(), seen_at=later
    )
