"""From the schema of the first release, with rows in it, to the present one, back, and forward."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts.models import Role
from billing.models import Balance, Invoice, Party
from documents.models import Batch, Document
from tests.security.world import new_world
from tests.security.world import rows_of as whole_rows_of

FIRST_RELEASE = [
    ("accounts", "0002_selling_defaults_and_invitations"),
    ("billing", "0005_party_as_billed"),
    ("documents", "0001_initial"),
]
KEPT = (
    ("accounts", "Company", "User", "Membership"),
    ("billing", "Party", "Invoice", "InvoiceItem", "Payment", "Balance", "NumberSequence"),
    ("documents", "Document", "Batch", "BatchItem", "BatchJob"),
)
OURS = ("accounts", "billing", "documents", "worker")
DAY = date(2026, 3, 1)


def migrate(targets):
    executor = MigrationExecutor(connection)
    executor.migrate(targets)


def back():
    """Apps that the first release did not have go altogether."""
    there = MigrationLoader(connection).migrated_apps
    own = [("worker", None)] if "worker" in there else []
    migrate([*FIRST_RELEASE, *own])


@pytest.fixture
def old():
    back()
    yield MigrationLoader(connection).project_state(FIRST_RELEASE).apps
    call_command("migrate", verbosity=0)


def rows_of(apps):
    """Every row of the first release, by its table."""
    return {
        name: sorted(
            tuple(str(value) for value in row)
            for row in apps.get_model(app, name)._base_manager.values_list()
        )
        for app, *names in KEPT
        for name in names
    }


def fill(apps):
    """Two versions of a paper, one waiting and one failed; a run; an invoice and its payment."""
    company = apps.get_model("accounts", "Company").objects.create(
        slug="old", legal_name="Old Ltd", number_patterns={}, tax_rates=["20"]
    )
    user = apps.get_model("accounts", "User").objects.create(email="old@example.org", password="x")
    apps.get_model("accounts", "Membership").objects.create(
        user=user, company=company, role=Role.OWNER
    )
    billing = {name: apps.get_model("billing", name).objects for name in KEPT[1][1:]}
    party = billing["Party"].create(company=company, code="P1", name="Party")
    invoice = billing["Invoice"].create(
        company=company,
        party=party,
        invoice_number="INV-2026-00001",
        state="part-paid",
        invoice_date=DAY,
        due_date=DAY + timedelta(days=30),
        currency="GBP",
        **dict.fromkeys(("subtotal", "net", "total"), Decimal(100)),
        paid=Decimal(40),
    )
    billing["InvoiceItem"].create(
        invoice=invoice, position=1, description="Jug", quantity=1, unit_price=100, net=100
    )
    billing["Payment"].create(
        company=company,
        party=party,
        invoice=invoice,
        payment_number="PAY-2026-00001",
        payment_date=DAY,
        amount=Decimal(40),
        currency="GBP",
    )
    billing["Balance"].create(
        company=company, party=party, invoiced=Decimal(100), paid=Decimal(40), current=Decimal(60)
    )
    billing["NumberSequence"].create(company=company, series="INV", fiscal_year=2026, next_number=2)
    fill_papers(apps, company, party)


def fill_papers(apps, company, party):
    papers, subject = apps.get_model("documents", "Document").objects, uuid4()
    ready = {
        "state": "ready",
        "storage_key": "documents/1/aa/aa.pdf",
        "sha256": "a" * 64,
        "size": 9,
        "pages": 1,
        "finished_at": timezone.now(),
    }
    outcomes = (ready, {**ready, "sha256": "b" * 64}, {}, {"state": "failed", "failure": "Why."})
    made = []
    for number, outcome in enumerate(outcomes):
        made.append(
            papers.create(
                company=company,
                kind="statement",
                title=f"Statement {number}",
                subject_id=subject if number < 2 else uuid4(),
                recipient_id=party.pk,
                snapshot={"number": number},
                fingerprint=f"{number}" * 64,
                template_version=1,
                locale="en_GB",
                # The first release could give two versions of a paper the same number.
                version=1,
                supersedes=made[0] if number == 1 else None,
                **outcome,
            )
        )
    batch = apps.get_model("documents", "Batch").objects.create(
        company=company, kind="statement", title="Run", state="done"
    )
    apps.get_model("documents", "BatchItem").objects.create(
        company=company, batch=batch, position=1, subject_id=party.pk, document=made[0]
    )
    apps.get_model("documents", "BatchJob").objects.create(batch=batch, step="plan", state="done")


def step_before_the_last():
    """Of each app of ours, the migration before its newest."""
    graph = MigrationLoader(connection).graph
    for app in OURS:
        [leaf] = graph.leaf_nodes(app)
        yield next(parent.key for parent in graph.node_map[leaf].parents if parent.key[0] == app)


@pytest.mark.django_db(transaction=True)
def test_rows_of_today_come_through_the_last_step_back_and_forward(archive_dir):
    world = new_world()
    before = whole_rows_of(world.company)
    try:
        migrate(list(step_before_the_last()))
    finally:
        migrate(MigrationLoader(connection).graph.leaf_nodes())
    assert whole_rows_of(world.company) == before


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_rows_of_today_go_back_to_the_first_release_and_come_forward(archive_dir):
    """What the first release had no place for goes; what it had stays to the last digit."""
    new_world()
    apps = MigrationLoader(connection).project_state(FIRST_RELEASE).apps
    try:
        back()
        before = rows_of(apps)
        assert before["Invoice"]
        assert before["Payment"]
    finally:
        call_command("migrate", verbosity=0)
    back()
    assert rows_of(apps) == before
    call_command("migrate", verbosity=0)
    assert Invoice.objects.count() == len(before["Invoice"])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_rows_of_the_first_release_come_through_forward_back_and_forward(old):
    fill(old)
    before = rows_of(old)
    call_command("migrate", verbosity=0)
    assert (Party.objects.count(), Invoice.objects.get().due, Batch.objects.count()) == (1, 60, 1)
    assert Balance.objects.get().current == 60
    versions = Document.objects.filter(state="ready").order_by("version")
    assert [paper.version for paper in versions] == [1, 2]
    assert not Document.objects.filter(state="ready", announced_at=None).exists()

    back()
    after = rows_of(old)
    # What was wrong with the versions stays right.
    assert {name for name in before if before[name] != after[name]} <= {"Document"}
    assert len(after["Document"]) == len(before["Document"]) == 4

    call_command("migrate", verbosity=0)
    assert [paper.version for paper in versions.all()] == [1, 2]
    assert Invoice.objects.get().due == 60


@pytest.mark.django_db
def test_every_migration_can_be_taken_back():
    loader = MigrationLoader(connection)
    stuck = [
        key
        for key, migration in loader.disk_migrations.items()
        if key[0] in OURS and not all(step.reversible for step in migration.operations)
    ]
    assert stuck == []
