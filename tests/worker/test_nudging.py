"""A request is a committed row, and a message only a nudge: whatever the broker does."""

import os
import signal
import socket
import time
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import transaction
from redis import Redis

from documents.models import Document, DocumentState
from documents.services.requests import request_document
from documents.tasks import make_document
from tests.documents.papers import statement_paper
from tests.factories import CompanyFactory, DocumentFactory
from tests.processes import private_broker
from tests.worker.messages import waiting
from worker import nudging
from worker.dispatching import dispatch_once
from worker.nudging import publish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company():
    return CompanyFactory.create()


def ask(company):
    return request_document(company=company, paper=statement_paper(), by=None)


@contextmanager
def nobody_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        yield f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


@contextmanager
def accepts_and_never_answers():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@contextmanager
def stopped_process():
    with private_broker() as broker:
        os.kill(broker.pid, signal.SIGSTOP)
        yield broker.url


@contextmanager
def full_memory():
    with private_broker() as broker:
        Redis(unix_socket_path=str(broker.socket_path)).config_set("maxmemory", 1)
        yield broker.url


@contextmanager
def wrong_password():
    with private_broker() as broker:
        Redis(unix_socket_path=str(broker.socket_path)).config_set("requirepass", "secret")
        yield broker.url


BROKEN = [
    pytest.param(nobody_listens, 2, id="nobody listens"),
    pytest.param(full_memory, 2, id="memory full"),
    pytest.param(wrong_password, 2, id="wrong password"),
    pytest.param(accepts_and_never_answers, 12, id="accepts and never answers"),
    pytest.param(stopped_process, 12, id="frozen"),
]


@pytest.mark.parametrize(("broken", "seconds"), BROKEN)
def test_a_request_succeeds_while_the_broker_is_broken_and_goes_out_later(
    broken, seconds, broker_at, company, queues
):
    good = os.environ["CELERY_BROKER_URL"]
    with broken() as url:
        broker_at(url)
        began = time.monotonic()
        first = ask(company)
        took = time.monotonic() - began
        began = time.monotonic()
        second = ask(company)
        took_next = time.monotonic() - began
    assert took < seconds
    assert took_next < 0.5  # publishing pauses: one request pays, and not every one
    for document in (first, second):
        document.refresh_from_db()
        assert (document.state, document.published_at) == (DocumentState.QUEUED, None)
    broker_at(good)
    assert dispatch_once() == 2
    assert waiting(queues) == [str(first.pk), str(second.pk)]


def test_publishing_goes_on_after_the_pause(broker_at, company, queues, monkeypatch):
    good = os.environ["CELERY_BROKER_URL"]
    with nobody_listens() as url:
        broker_at(url)
        ask(company)
    broker_at(good)
    later = time.monotonic() + nudging._PAUSE_SECONDS
    monkeypatch.setattr(nudging.time, "monotonic", lambda: later)
    second = ask(company)
    assert waiting(queues) == [str(second.pk)]


def test_a_request_is_nudged_once_it_is_committed(company, queues):
    with transaction.atomic():
        document = ask(company)
        assert waiting(queues) == []
    assert waiting(queues) == [str(document.pk)]
    document.refresh_from_db()
    assert document.published_at is not None


def test_a_transaction_that_is_rolled_back_publishes_nothing(company, queues):
    with transaction.atomic():
        ask(company)
        transaction.set_rollback(True)
    assert waiting(queues) == []
    assert not Document.objects.exists()


def test_a_request_inside_a_failed_savepoint_publishes_nothing(company, queues):
    with transaction.atomic():
        with transaction.atomic():
            ask(company)
            transaction.set_rollback(True)
        kept = ask(company)
    assert waiting(queues) == [str(kept.pk)]


def test_an_error_in_publishing_never_reaches_who_asked(company, queues, monkeypatch):
    def explode(*args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(nudging, "publish", explode)
    assert ask(company).pk is not None


def test_what_a_quick_worker_gave_back_already_is_due_at_once_again(company, queues, monkeypatch):
    def claimed_and_given_back(row):
        Document.claim(row.pk).fail(reason="The database was away.", retry=True)

    monkeypatch.setattr(nudging, "_send", claimed_and_given_back)
    document = ask(company)
    document.refresh_from_db()
    assert (document.state, document.attempts, document.published_at) == ("queued", 1, None)


def test_what_is_ready_is_not_nudged_again(company, queues, archive_dir):
    paper = statement_paper()
    document = request_document(company=company, paper=paper, by=None)
    make_document(str(document.pk))
    queues.flushdb()
    assert request_document(company=company, paper=paper, by=None).is_ready
    assert waiting(queues) == []


def test_messages_twice_and_in_any_order_change_nothing(company, queues, archive_dir):
    documents = [ask(company) for _ in range(3)]
    ids = [str(document.pk) for document in documents]
    outcomes = [make_document(pk) for pk in (ids[2], ids[0], ids[2], ids[1], ids[0], ids[1])]
    assert outcomes.count("done") == 3
    assert outcomes.count("nothing to claim") == 3
    before = list(Document._base_manager.order_by("pk").values())
    assert [make_document(pk) for pk in ids] == ["nothing to claim"] * 3
    assert list(Document._base_manager.order_by("pk").values()) == before
    assert {row["state"] for row in before} == {"ready"}
    assert {row["attempts"] for row in before} == {1}


def test_a_message_for_nothing_that_exists_does_nothing(company):
    assert make_document(str(UUID(int=1))) == "nothing to claim"


def test_publishing_returns_what_could_not_be_sent(broker_at, queues):
    documents = DocumentFactory.create_batch(3)
    assert publish(documents[:1]) == []
    with nobody_listens() as url:
        broker_at(url)
        assert publish(documents[1:]) == documents[1:]


def test_a_message_carries_an_id_and_nothing_else(company, queues):
    document = ask(company)
    raw = queues.lrange("interactive", 0, -1)[0].decode()
    assert waiting(queues) == [str(document.pk)]
    assert "Harbour" not in raw
