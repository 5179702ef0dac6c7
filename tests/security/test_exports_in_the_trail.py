"""Who takes records away leaves a line: who, when, what, and not what they looked for."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.audit import Action, history_of
from accounts.models import Role
from billing.models import Party
from tests.billing.factories import new_party
from tests.factories import BatchItemFactory, DocumentFactory, member
from tests.security.rights import RIGHTS
from tests.security.world import signed_in

pytestmark = pytest.mark.django_db
EXPORTS = sorted(name for name in RIGHTS if name.endswith("_export"))


@pytest.fixture
def owner():
    return member(Role.OWNER)


@pytest.fixture
def client(owner) -> Client:
    return signed_in(owner.user)


def lines(owner) -> list[str]:
    """What each entry says was exported; every one by that person."""
    entries = history_of(owner.company).filter(action=Action.ACCESS)
    assert {entry.actor_id for entry in entries} <= {owner.user_id}
    assert {entry.actor_email for entry in entries} <= {owner.user.email}
    assert all(entry.timestamp for entry in entries)
    return [entry.changes["exported"][1] for entry in entries]


@pytest.mark.parametrize("name", EXPORTS)
def test_every_list_that_is_taken_as_a_file_is_noted(client, owner, name):
    client.get(reverse(name))
    [line] = lines(owner)
    assert line.endswith("as CSV")


def test_it_says_by_what_the_list_was_narrowed_and_not_what_was_searched_for(client, owner):
    party = new_party(owner.company, "P1", name="Jane Doe")
    query = {"party": str(party.pk), "q": "Jane Doe", "sort": "date", "state": ""}
    client.get(reverse("billing:invoice_export"), query)
    assert lines(owner) == [f"invoices as CSV, party={party.pk}, q"]


def test_a_very_long_query_makes_no_long_line(client, owner):
    client.get(reverse("billing:party_export"), {"a": "x" * 3000})
    assert len(lines(owner)[0]) == 300


def test_the_zip_of_a_run_is_noted(client, owner, archive_dir):
    paper = DocumentFactory.create(company=owner.company, ready=True)
    run = BatchItemFactory.create(batch__company=owner.company, document=paper).batch
    run.state = "done"
    run.save()
    answer = client.get(reverse("documents:batch_zip", args=[run.pk]))
    assert answer.status_code == 200
    assert lines(owner) == [f"ZIP of the run {run.pk}"]


def test_what_is_refused_or_only_looked_at_is_not_noted(client, owner):
    client.head(reverse("billing:party_export"))
    client.get(reverse("billing:party_list"))
    missing = client.get(reverse("documents:batch_zip", args=[owner.company.pk]))
    assert missing.status_code == 404
    assert signed_in(member(Role.OWNER).user).get(reverse("billing:party_export")).status_code
    assert lines(owner) == []


def test_an_export_by_a_viewer_is_by_that_viewer(owner):
    viewer = member(Role.VIEWER, company=owner.company)
    new_party(owner.company, "P1", name="Jane Doe")
    answer = signed_in(viewer.user).get(reverse("billing:party_export"))
    assert "Jane Doe" in b"".join(answer).decode()
    assert Party.objects.for_company(owner.company).count() == 1
    [entry] = history_of(owner.company).filter(action=Action.ACCESS)
    assert entry.actor == viewer.user
