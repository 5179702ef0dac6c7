"""Processes say that they are there; a queue without a listener is told."""

import signal
from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from tests.factories import DocumentFactory
from tests.processes import dispatcher, eventually, private_broker, worker
from worker.listening import queues_without_listener
from worker.models import Presence, Role
from worker.presence import Herald, forget_the_gone, is_present


def listener(*queues: str, seen: int = 0) -> None:
    """A worker's row, last seen so many seconds ago."""
    Herald(Role.WORKER, queues).say()
    Presence.objects.update(seen_at=Now() - timedelta(seconds=seen))


def waiting(queue: str, *, seconds: int = 60) -> None:
    document = DocumentFactory.create(queue=queue)
    rows = type(document)._base_manager.filter(pk=document.pk)
    rows.update(next_attempt_at=Now() - timedelta(seconds=seconds))


@pytest.mark.django_db
def test_work_that_nobody_listens_for_is_told():
    waiting("batch")
    assert list(queues_without_listener()) == ["batch"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("queues", "seen", "told"),
    [
        (("batch", "mail"), 0, []),
        (("mail",), 0, ["batch"]),
        (("batch",), 60, ["batch"]),
    ],
    ids=["it listens", "to another queue", "long gone"],
)
def test_only_a_worker_that_is_there_and_listens_counts(queues, seen, told):
    waiting("batch")
    listener(*queues, seen=seen)
    assert list(queues_without_listener()) == told


@pytest.mark.django_db
def test_work_that_is_new_or_held_is_no_reason_to_warn():
    waiting("batch", seconds=5)
    document = DocumentFactory.create(queue="mail", held=True)
    type(document)._base_manager.update(next_attempt_at=F("next_attempt_at"))
    assert queues_without_listener() == {}


@pytest.mark.django_db
def test_where_all_is_heard_one_query_is_enough(django_assert_num_queries):
    listener("interactive", "batch", "mail", "recompute")
    with django_assert_num_queries(1):
        queues_without_listener()


@pytest.mark.django_db
def test_saying_it_again_is_one_row_with_the_time_of_now():
    listener("batch", seen=60)
    Herald(Role.WORKER, ("batch",)).say()
    assert Presence.objects.filter(seen_at__gt=Now() - timedelta(seconds=10)).count() == 1


@pytest.mark.django_db
def test_a_process_that_went_without_a_word_is_forgotten_after_a_while():
    listener("batch", seen=30 * 60)
    assert forget_the_gone() == 0
    listener("batch", seen=2 * 60 * 60)
    assert forget_the_gone() == 1


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_and_dispatcher_say_so_and_leave(tmp_path, archive_dir):
    with private_broker() as broker:
        env = {"CELERY_BROKER_URL": broker.url}
        with (
            worker(tmp_path / "w.log", queues="mail,batch", children=1, **env) as working,
            dispatcher(tmp_path / "d.log", **env) as dispatching,
        ):
            eventually(lambda: is_present(Role.WORKER) and is_present(Role.DISPATCHER), 30)
            said = Presence.objects.get(role=Role.WORKER)
            assert (said.queues, said.pid) == (["batch", "mail"], working.process.pid)
            for process in (working.process, dispatching.process):
                process.send_signal(signal.SIGTERM)
                process.wait(30)
    assert list(Presence.objects.values_list("name", flat=True)) == []
