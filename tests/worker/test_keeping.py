"""The lease is renewed while long work goes on, and short work is left in peace."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, InterfaceError, connection

from documents.models import Document, DocumentState
from tests.factories import DocumentFactory
from tests.processes import eventually
from worker import keeping
from worker.dispatching import sweep_leases
from worker.keeping import LeaseKeeper
from worker.running import work_on

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
FILE = {"storage_key": "a/b", "sha256": "0" * 64, "size": 1, "pages": 1}


@pytest.fixture(autouse=True)
def short_lease(settings):
    settings.WORK_LEASE = timedelta(seconds=0.6)


def test_work_longer_than_its_lease_is_not_swept():
    swept = []

    def do(document):
        for _ in range(15):
            time.sleep(0.1)
            swept.append(sweep_leases(Document))
        assert document.finish(**FILE)

    document = DocumentFactory.create()
    assert work_on(Document, document.pk, do) == "done"
    assert set(swept) == {0}
    document.refresh_from_db()
    assert (document.state, document.attempts) == (DocumentState.READY, 1)


def test_control_without_the_keeper_it_would_be_swept():
    document = DocumentFactory.create()
    claimed = Document.claim(document.pk)
    time.sleep(0.8)
    assert sweep_leases(Document) == 1
    assert not claimed.finish(**FILE)


@pytest.fixture
def renewals(monkeypatch):
    calls = []
    renew = Document.renew
    monkeypatch.setattr(Document, "renew", lambda self: calls.append(self.pk) or renew(self))
    return calls


def test_short_work_never_touches_the_database(renewals):
    claimed = Document.claim(DocumentFactory.create().pk)
    with LeaseKeeper(claimed):
        time.sleep(0.1)
    time.sleep(0.3)
    assert renewals == []


def test_it_ends_with_the_work(renewals):
    claimed = Document.claim(DocumentFactory.create().pk)
    with LeaseKeeper(claimed):
        time.sleep(0.5)
    count = len(renewals)
    assert count == 2
    time.sleep(0.5)
    assert len(renewals) == count


def test_a_renewal_that_hangs_does_not_hold_up_the_end_of_the_work(monkeypatch):
    asked, answered = threading.Event(), threading.Event()
    claimed = Document.claim(DocumentFactory.create().pk)
    monkeypatch.setattr(keeping, "_LAST_RENEWAL", 0.1)
    monkeypatch.setattr(claimed, "renew", lambda: asked.set() or answered.wait(20))
    with LeaseKeeper(claimed):
        assert asked.wait(10)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    answered.set()


def test_a_process_need_not_wait_for_it_to_end():
    with LeaseKeeper(Document.claim(DocumentFactory.create().pk)):
        [keeper] = [each for each in threading.enumerate() if each.name == "lease-keeper"]
        assert keeper.daemon
    assert not keeper.is_alive()


def test_the_log_names_the_work_whose_lease_was_lost_or_could_not_be_renewed(monkeypatch, caplog):
    claimed = Document.claim(DocumentFactory.create().pk)
    ends = iter([DatabaseError("gone"), False])
    monkeypatch.setattr(Document, "renew", lambda self: raise_or_return(next(ends)))
    with LeaseKeeper(claimed):
        time.sleep(0.7)
    assert [record.getMessage() for record in caplog.records] == [
        f"The lease of {claimed.pk} could not be renewed.",
        f"The lease of {claimed.pk} was lost.",
    ]


@pytest.mark.parametrize("error", [InterfaceError("closed"), MemoryError(), ValueError("odd")])
def test_no_error_ends_the_renewing(renewals, monkeypatch, error, caplog):
    renew = Document.renew
    errors = iter([error])

    def fail_the_first_time(self):
        for broken in errors:
            raise broken
        return renew(self)

    monkeypatch.setattr(Document, "renew", fail_the_first_time)
    claimed = Document.claim(DocumentFactory.create().pk)
    with LeaseKeeper(claimed):
        time.sleep(0.5)
    assert renewals == [claimed.pk]
    [told] = caplog.records
    assert (told.getMessage(), told.exc_info[1]) == (
        f"The lease of {claimed.pk} could not be renewed.",
        error,
    )


def test_a_connection_that_can_not_be_closed_does_not_end_it_either(renewals, monkeypatch, caplog):
    claimed = Document.claim(DocumentFactory.create().pk)
    closing = iter([InterfaceError("closed")])
    kept = keeping.connection  # each thread's own

    def fail_the_first_time():
        kept.close()
        for broken in closing:
            raise broken

    monkeypatch.setattr(keeping, "connection", SimpleNamespace(close=fail_the_first_time))
    with LeaseKeeper(claimed):
        time.sleep(0.5)
    assert len(renewals) == 2
    [told] = caplog.records
    assert told.getMessage() == "The keeper's connection could not be closed."
    assert isinstance(told.exc_info[1], InterfaceError)


def raise_or_return(end):
    if isinstance(end, Exception):
        raise end
    return end


def test_it_gives_up_once_the_lease_is_lost(renewals):
    claimed = Document.claim(DocumentFactory.create().pk)
    Document._base_manager.update(state="cancelled", token=None)
    with LeaseKeeper(claimed):
        time.sleep(0.9)
    assert len(renewals) == 1


def test_it_tries_again_when_its_connection_was_cut(renewals, monkeypatch):
    renew = Document.renew

    def cut_off_the_first_time(self):
        if not renewals:
            renewals.append("cut off")
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return renew(self)

    monkeypatch.setattr(Document, "renew", cut_off_the_first_time)
    claimed = Document.claim(DocumentFactory.create().pk)
    with LeaseKeeper(claimed):
        time.sleep(0.5)
        assert sweep_leases(Document) == 0
    assert renewals == ["cut off", claimed.pk]


def test_it_leaves_no_connection_open(renewals):
    before = others()
    claimed = Document.claim(DocumentFactory.create().pk)
    with LeaseKeeper(claimed):
        eventually(lambda: len(renewals) > 1)  # so one of them is over
        eventually(lambda: others() <= before, 5)  # a server's process ends after its client's


def others():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]
