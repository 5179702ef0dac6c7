"""Real workers and a real mail server that are killed while an e-mail is handed over."""

import pytest
from django.db.models.functions import Now

from documents.models import Delivery, DeliveryState
from documents.services.deliveries import request_deliveries
from documents.services.requests import insert_documents
from tests.billing.factories import PartyFactory
from tests.documents.mail import make
from tests.documents.mail_server import mail_server
from tests.documents.papers import statement_paper
from tests.documents.rendering.samples import PARTY, statement
from tests.processes import dispatcher, eventually, private_broker, worker
from worker.nudging import publish

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def own_broker(broker_at):
    with private_broker() as broker:
        broker_at(broker.url)
        yield broker


@pytest.fixture
def server(tmp_path):
    with mail_server(tmp_path / "mail") as running:
        yield running


@pytest.fixture
def here(own_broker, server):
    """What the workers are told."""
    return {
        "CELERY_BROKER_URL": own_broker.url,
        "EMAIL_URL": server.url,
        "PRESSROOM_MAIL_ANSWER_SECONDS": "30",
    }


@pytest.fixture
def delivery(archive_dir):
    party = PartyFactory.create()
    facts = {**PARTY, "name": party.name, "code": party.code}
    paper = statement_paper(
        party.name,
        subject_id=party.pk,
        recipient_code=party.code,
        snapshot=statement(1, party=facts),
    )
    [document] = insert_documents(company=party.company, papers=[paper], by=None, queue="batch")
    request_deliveries(documents=[make(document)], by=None)
    return Delivery.objects.get()


def state() -> str:
    return Delivery.objects.get().state


def due_now() -> None:
    Delivery.objects.filter(state="queued").update(next_attempt_at=Now(), published_at=None)


def test_a_worker_killed_before_the_message_has_it_sent_once(delivery, server, here, tmp_path):
    server.set("hang at rcpt")
    with dispatcher(tmp_path / "dispatcher.log", **here):
        with worker(tmp_path / "first.log", queues="mail", children=1, **here) as first:
            eventually(server.is_reached)
            first.kill()
        server.set("accept")
        with worker(tmp_path / "second.log", queues="mail", children=1, **here):
            eventually(lambda: state() == DeliveryState.SENT)
    assert len(server.received()) == 1
    assert Delivery.objects.get().attempts == 2


@pytest.mark.parametrize("mode", ["hang at data", "keep and hang"])
def test_a_worker_killed_after_the_message_leaves_it_to_a_person(
    delivery, server, here, tmp_path, mode
):
    server.set(mode)
    with dispatcher(tmp_path / "dispatcher.log", **here):
        with worker(tmp_path / "first.log", queues="mail", children=1, **here) as first:
            eventually(server.is_reached)
            first.kill()
        server.set("accept")
        with worker(tmp_path / "second.log", queues="mail", children=1, **here):
            eventually(lambda: state() == DeliveryState.UNKNOWN)
            publish([delivery])  # messages that come late, and twice
            publish([delivery])
            canary = another(delivery)
            eventually(lambda: Delivery.objects.get(pk=canary.pk).state == DeliveryState.SENT)
    assert Delivery.objects.get(pk=delivery.pk).state == DeliveryState.UNKNOWN
    mine = [each for each in server.received() if delivery.message_id in each["Message-ID"]]
    assert len(mine) == (1 if mode == "keep and hang" else 0)


def another(delivery: Delivery) -> Delivery:
    """One more to the same party, which shows that the worker has been at its queue."""
    party = {**PARTY, "name": delivery.recipient_name, "code": delivery.document.recipient_code}
    paper = statement_paper(
        delivery.recipient_name,
        subject_id=delivery.recipient_id,
        recipient_code=delivery.document.recipient_code,
        snapshot=statement(2, party=party),
    )
    [document] = insert_documents(company=delivery.company, papers=[paper], by=None, queue="batch")
    request_deliveries(documents=[make(document)], by=None)
    return Delivery.objects.get(document=document)


def test_a_server_killed_before_the_message_gets_it_when_it_is_back(
    delivery, server, here, tmp_path
):
    server.set("hang at rcpt")
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="mail", children=1, **here),
    ):
        eventually(server.is_reached)
        server.kill()
        eventually(lambda: state() == DeliveryState.QUEUED)
        server.set("accept")
        server.start()
        due_now()
        eventually(lambda: state() == DeliveryState.SENT)
    assert len(server.received()) == 1


def test_a_server_killed_after_the_message_leaves_it_to_a_person(delivery, server, here, tmp_path):
    server.set("keep and hang")
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="mail", children=1, **here),
    ):
        eventually(server.is_reached)
        server.kill()
        eventually(lambda: state() == DeliveryState.UNKNOWN)
        server.set("accept")
        server.start()
        canary = another(delivery)
        eventually(lambda: Delivery.objects.get(pk=canary.pk).state == DeliveryState.SENT)
    assert Delivery.objects.get(pk=delivery.pk).state == DeliveryState.UNKNOWN
    mine = [each for each in server.received() if delivery.message_id in each["Message-ID"]]
    assert len(mine) == 1


def test_two_workers_and_doubled_messages_send_one(delivery, server, here, tmp_path):
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "one.log", queues="mail", children=2, **here),
        worker(tmp_path / "two.log", queues="mail", children=2, **here),
    ):
        for _ in range(10):
            publish([delivery])
        eventually(lambda: state() == DeliveryState.SENT)
        canary = another(delivery)
        eventually(lambda: Delivery.objects.get(pk=canary.pk).state == DeliveryState.SENT)
    assert len(server.received()) == 2
