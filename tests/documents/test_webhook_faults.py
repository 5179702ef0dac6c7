"""Real workers that die with a request on the line, and messages that come twice."""

from contextlib import ExitStack
from threading import Barrier, Thread

import pytest
from django.db import connection

from documents.models import WebhookDelivery
from documents.services.webhook_sending import send_webhook
from tests.documents.webhook_server import receiver
from tests.factories_of_telling import WebhookDeliveryFactory, WebhookEndpointFactory
from tests.processes import dispatcher, eventually, private_broker, worker
from worker.celery import app
from worker.leasing import WorkState
from worker.running import work_on

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server():
    with receiver() as running:
        yield running


@pytest.fixture
def delivery(server, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    return WebhookDeliveryFactory.create(endpoint=WebhookEndpointFactory.create(url=server.url))


def state_of(delivery):
    return WebhookDelivery.objects.values_list("state", flat=True).get(pk=delivery.pk)


def test_a_worker_killed_mid_request_leaves_it_to_another_under_the_same_id(
    server, delivery, broker_at, tmp_path
):
    with ExitStack() as stack:
        broker = stack.enter_context(private_broker())
        broker_at(broker.url)
        here = {"CELERY_BROKER_URL": broker.url, "PRESSROOM_WEBHOOK_ALLOW_PRIVATE": "1"}
        server.behave = "hang"
        stack.enter_context(dispatcher(tmp_path / "dispatcher.log", **here))
        first = stack.enter_context(
            worker(tmp_path / "first.log", queues="mail", children=1, **here)
        )
        eventually(lambda: len(server.requests) == 1, seconds=60)
        first.kill()
        assert state_of(delivery) == WorkState.RUNNING
        server.behave = "200"
        stack.enter_context(worker(tmp_path / "second.log", queues="mail", children=1, **here))
        eventually(lambda: state_of(delivery) == WorkState.DONE, seconds=60)
    assert server.ids == [delivery.message_id] * 2
    assert server.verified(delivery.endpoint.secret, 0) == delivery.payload
    assert server.verified(delivery.endpoint.secret, 1) == delivery.payload


def test_a_nudge_that_comes_five_times_is_one_request(server, delivery, broker_at, tmp_path):
    with ExitStack() as stack:
        broker = stack.enter_context(private_broker())
        broker_at(broker.url)
        for _ in range(5):
            app.send_task(delivery.task_name, args=[str(delivery.pk)], queue="mail")
        here = {"CELERY_BROKER_URL": broker.url, "PRESSROOM_WEBHOOK_ALLOW_PRIVATE": "1"}
        running = stack.enter_context(
            worker(tmp_path / "worker.log", queues="mail", children=2, **here)
        )
        eventually(lambda: running.output().count("nothing to claim") == 4, seconds=60)
    assert state_of(delivery) == WorkState.DONE
    assert len(server.requests) == 1


def at_once(count, do):
    barrier = Barrier(count)

    def run():
        barrier.wait()
        do()
        connection.close()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_workers_that_claim_at_once_one_sends(server, delivery):
    at_once(6, lambda: work_on(WebhookDelivery, delivery.pk, send_webhook))
    assert len(server.requests) == 1


def test_without_the_claim_all_would_send(server, delivery):
    """The control: the same race with the claim left out."""
    at_once(6, lambda: send_webhook(WebhookDelivery.objects.get(pk=delivery.pk)))
    assert len(server.requests) == 6
