"""Migrations go back to the first one and forward again, and no row is lost on the way."""

from datetime import date

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from billing.models import Balance, Invoice, Party, Payment, Return
from tests.billing.books import assert_reconciled
from tests.billing.factories import (
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)
from tests.billing.sales import books

FIRST = [("billing", "0001_initial")]
SOFT_DELETED = ("party", "invoice", "payment", "return")


def models_at(targets):
    return MigrationLoader(connection).project_state(targets).apps


def columns_of(model):
    with connection.cursor() as cursor:
        table = model._meta.db_table
        return {
            column.name for column in connection.introspection.get_table_description(cursor, table)
        }


@pytest.fixture
def _forward_again():
    yield
    call_command("migrate", verbosity=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_forward_again")
class TestBackAndForward:
    @pytest.fixture
    def filled(self, company):
        """Two parties with every kind of row, one of them deleted."""
        for code in ("P1", "P2"):
            party = new_party(company, code)
            invoice = posted_invoice(party, "100.10", "7", day=date(2026, 3, 1))
            posted_payment(party, "7.10", invoice=invoice)
            posted_payment(party, "3")
            returned_item(invoice)
            posted_return(party, "2")
        Party.objects.filter(code="P2").update(is_active=False)
        return company

    def test_no_row_is_lost_or_changed(self, filled):
        before, payments = books(filled), Payment.objects.count()
        call_command("migrate", "billing", "0001_initial", verbosity=0)
        old = models_at(FIRST)
        assert old.get_model("billing", "Party").objects.count() == 2
        assert old.get_model("billing", "Invoice").objects.count() == 2
        assert old.get_model("billing", "Payment").objects.count() == payments == 4
        assert old.get_model("billing", "Return").objects.count() == 4

        call_command("migrate", verbosity=0)
        assert books(filled) == before
        assert Payment.objects.count() == payments
        assert Balance.objects.count() == 2
        assert_reconciled(filled)

    def test_rows_of_the_first_migration_are_active_afterwards(self, company):
        call_command("migrate", "billing", "0001_initial", verbosity=0)
        old = models_at([*FIRST, *_leaves_of("accounts")])
        old.get_model("billing", "Party").objects.create(
            company_id=company.pk, code="OLD", name="Old"
        )
        call_command("migrate", verbosity=0)
        assert Party.objects.get(code="OLD").is_active is True

    def test_the_column_goes_and_comes(self, company):
        call_command("migrate", "billing", "0001_initial", verbosity=0)
        for model in (Party, Invoice, Payment, Return):
            assert "is_active" not in columns_of(model)
        call_command("migrate", verbosity=0)
        for model in (Party, Invoice, Payment, Return):
            assert "is_active" in columns_of(model)

    def test_constraints_and_indexes_are_as_before(self, company):
        def named():
            with connection.cursor() as cursor:
                return {
                    model.__name__: set(
                        connection.introspection.get_constraints(cursor, model._meta.db_table)
                    )
                    for model in (Party, Invoice, Payment, Return, Balance)
                }

        before = named()
        call_command("migrate", "billing", "0001_initial", verbosity=0)
        call_command("migrate", verbosity=0)
        assert {"invoice_by_date", "invoice_number_unique"} <= named()["Invoice"]
        assert named() == before


def _leaves_of(app):
    graph = MigrationLoader(connection).graph
    return graph.leaf_nodes(app)


@pytest.mark.django_db
class TestTheFirstMigration:
    def test_does_not_know_of_soft_deletion_yet(self):
        for name in SOFT_DELETED:
            fields = models_at(FIRST).get_model("billing", name)._meta.get_fields()
            assert "is_active" not in {field.name for field in fields}

    def test_the_second_one_brings_it(self):
        second = [("billing", "0002_add_is_active_and_optimize_models")]
        for name in SOFT_DELETED:
            fields = models_at(second).get_model("billing", name)._meta.get_fields()
            assert "is_active" in {field.name for field in fields}


@pytest.mark.django_db
def test_the_database_is_at_the_last_migration_of_every_app():
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
