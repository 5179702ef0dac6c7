"""What the database calls transient is tried again; nothing else is."""

import threading

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from billing.models import Party
from billing.services import issue_invoice, retry_transient
from tests.billing.books import race
from tests.billing.factories import new_party
from tests.billing.services.entering import entered


class Cause(Exception):
    def __init__(self, pgcode=None, constraint=None):
        super().__init__("cause")
        self.pgcode = pgcode
        self.diag = type("Diagnostics", (), {"constraint_name": constraint})


def failing(times, error, cause=None):
    """An action that fails so many times before it returns how often it was called."""
    calls = []

    def action():
        calls.append(1)
        if len(calls) <= times:
            raise error from cause
        return len(calls)

    action.calls = calls
    return action


LOCKED = OperationalError("database is locked")
TRANSIENT = [
    (OperationalError("x"), Cause("40001")),
    (OperationalError("x"), Cause("40P01")),
    (OperationalError("x"), Cause("55P03")),
    (LOCKED, None),
    (OperationalError("database table is locked: x"), None),
    (IntegrityError("x"), Cause("23505", "invoice_number_unique")),
]
LASTING = [
    (OperationalError("server closed the connection"), Cause("57P01")),
    (IntegrityError("x"), Cause("23505", "party_code_unique")),
    (IntegrityError("UNIQUE constraint failed"), None),
    (ValueError("database is locked"), None),
]


@pytest.mark.django_db(transaction=True)
class TestRetrying:
    @pytest.mark.parametrize(("error", "cause"), TRANSIENT)
    def test_the_transient_is_tried_again(self, error, cause):
        assert retry_transient(failing(2, error, cause), tries=3) == 3

    @pytest.mark.parametrize(("error", "cause"), LASTING)
    def test_the_lasting_is_not(self, error, cause):
        action = failing(1, error, cause)
        with pytest.raises(type(error)):
            retry_transient(action, tries=3)
        assert len(action.calls) == 1

    @pytest.mark.parametrize("tries", [0, 1, 2, 5])
    def test_so_often_and_no_more(self, tries):
        action = failing(99, LOCKED)
        with pytest.raises(OperationalError):
            retry_transient(action, tries=tries)
        assert len(action.calls) == max(tries, 1)

    def test_not_within_a_transaction_that_is_broken_as_a_whole(self):
        action = failing(1, LOCKED)
        with pytest.raises(OperationalError), transaction.atomic():
            retry_transient(action, tries=3)
        assert len(action.calls) == 1


def crossing(company):
    """Two who lock the same two rows in opposite orders and surely meet at the first time."""
    one, other = new_party(company, "P1"), new_party(company, "P2")
    met = threading.Barrier(2)

    def lock(first, second):
        waited = []

        def action():
            with transaction.atomic():
                Party.objects.select_for_update().get(pk=first.pk)
                if not waited:
                    waited.append(1)
                    met.wait(timeout=10)
                Party.objects.select_for_update().get(pk=second.pk)

        return action

    return lock(one, other), lock(other, one)


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestARealDeadlock:
    def test_ends_well(self, company):
        both = crossing(company)
        assert race(*[lambda act=act: retry_transient(act) for act in both]) == {"done": 2}

    def test_is_an_error_without_a_retry(self, company):
        assert race(*crossing(company)) == {"done": 1, "OperationalError": 1}


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_a_number_that_another_takes_meanwhile_is_transient(company, party):
    """An import of INV-2026-00001 that isn't committed yet can't be seen, and is in the way."""
    draft = entered(party)
    issued_meanwhile = threading.Event()

    def issue():
        issued_meanwhile.set()
        return issue_invoice(invoice=draft, by=None).invoice_number

    found = []

    def run():
        try:
            found.append(retry_transient(issue))
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    with transaction.atomic():
        blocker = entered(party)
        type(blocker).objects.filter(pk=blocker.pk).update(
            invoice_number="INV-2026-00001", state="issued"
        )
        thread.start()
        issued_meanwhile.wait(timeout=10)
        thread.join(timeout=0.5)
        assert thread.is_alive()  # waits for the number
    thread.join(timeout=30)
    assert found == ["INV-2026-00002"]
