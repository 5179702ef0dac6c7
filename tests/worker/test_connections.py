"""A worker's child keeps its connection to the database from one task to the next."""

import psutil
import pytest
from django.db import connection

from documents import papers
from documents.models import Batch, BatchState
from documents.services.batches import start_batch
from tests.factories import CompanyFactory
from tests.processes import Running, dispatcher, eventually, private_broker, worker
from tests.worker.faults import kinds
from tests.worker.test_faults import cut_other_connections

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def running(monkeypatch, archive_dir, broker_at, tmp_path):
    """A worker of one child, and a dispatcher."""
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)
    with private_broker() as broker:
        broker_at(broker.url)
        here = {"CELERY_BROKER_URL": broker.url}
        with (
            dispatcher(tmp_path / "dispatcher.log", **here),
            worker(tmp_path / "worker.log", queues="batch", children=1, **here) as running,
        ):
            yield running


def make(count: int) -> None:
    batch = start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": count},
        by=None,
    )
    eventually(lambda: Batch.objects.filter(pk=batch.pk, state=BatchState.DONE).exists(), 30)


def backends(running: Running) -> list[int]:
    """The database's processes that serve the worker's child."""
    (child,) = psutil.Process(running.process.pid).children()
    ports = [it.laddr.port for it in child.net_connections("tcp") if it.status == "ESTABLISHED"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE client_port = ANY(%s)", [ports])
        return [pid for (pid,) in cursor.fetchall()]


def test_all_papers_are_made_over_one_connection(running):
    make(3)
    first = backends(running)
    assert len(first) == 1
    make(3)
    assert backends(running) == first


def test_one_that_was_cut_between_two_tasks_costs_no_task(running):
    make(1)
    (before,) = backends(running)
    cut_other_connections()
    make(3)
    (after,) = backends(running)
    assert after != before
    assert "OperationalError" not in running.output()


@pytest.fixture
def _none_is_kept(monkeypatch):
    monkeypatch.setenv("PRESSROOM_DB_CONN_MAX_AGE", "0")


@pytest.mark.usefixtures("_none_is_kept")
def test_none_is_kept_where_none_shall_be(running):
    make(2)
    assert backends(running) == []
