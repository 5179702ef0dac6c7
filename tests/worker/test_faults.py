"""Real workers and a real dispatcher, and what happens when they or their servers go away."""

import hashlib
import re
import time
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from django.db import connection
from django.db.models import Sum
from redis import Redis

from documents import papers
from documents.archive import archive
from documents.models import Batch, BatchState, Document, DocumentState
from documents.services.batches import start_batch
from tests.documents.papers import files_below
from tests.factories import CompanyFactory, DocumentFactory
from tests.processes import dispatcher, eventually, private_broker, worker
from tests.worker.faults import kinds
from worker.dispatching import LOST

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _faulty_kinds(monkeypatch, archive_dir):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)


@pytest.fixture
def own_broker(broker_at):
    with private_broker() as broker:
        broker_at(broker.url)
        yield broker


def run_of(count: int, faults: dict[str, str] | None = None, **parameters: Any) -> Batch:
    return start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": count, "faults": faults or {}, **parameters},
        by=None,
    )


def states() -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in Document.objects.values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def ready() -> int:
    return Document.objects.filter(state=DocumentState.READY).count()


def is_done(batch: Batch) -> bool:
    return Batch.objects.filter(pk=batch.pk, state=BatchState.DONE).exists()


def assert_every_file_is_right(count: int) -> None:
    """As many files as ready documents, each with the hash, size and pages that its row tells."""
    rows = Document.objects.filter(state=DocumentState.READY)
    assert rows.count() == count
    for row in rows:
        content = archive().read(row.storage_key, row.sha256)
        assert hashlib.sha256(content).hexdigest() == row.sha256
        assert (row.size, row.pages) == (len(content), 1)
    kept = [path for path in files_below(archive().root) if path.suffix == ".pdf"]
    assert len(kept) == count


def test_a_killed_worker_and_an_emptied_broker_lose_and_double_nothing(own_broker, tmp_path):
    slow = {str(number): "sleep 0.3" for number in range(40)}
    batch = run_of(40, slow)
    here = {"CELERY_BROKER_URL": own_broker.url}
    with dispatcher(tmp_path / "dispatcher.log", **here):
        with worker(tmp_path / "first.log", queues="batch", children=2, **here) as first:
            eventually(lambda: ready() >= 6)
            eventually(lambda: states().get("running", 0) == 2)
            first.kill()
        assert ready() < 40
        Redis(unix_socket_path=str(own_broker.socket_path)).flushall()
        with worker(tmp_path / "second.log", queues="batch", children=4, **here):
            eventually(lambda: is_done(batch), 25)
    assert states() == {"ready": 40}
    assert_every_file_is_right(40)
    attempts = Document.objects.aggregate(total=Sum("attempts"))["total"]
    assert 40 < attempts <= 42  # only what was in the killed worker's hands was begun again


def test_poison_that_kills_its_worker_stops_and_its_neighbours_finish(own_broker, tmp_path):
    batch = run_of(12, {"3": "kill"}, skipped=[7])
    here = {"CELERY_BROKER_URL": own_broker.url}
    with (
        dispatcher(tmp_path / "dispatcher.log", **here) as relay,
        worker(tmp_path / "worker.log", queues="batch", children=2, **here) as running,
    ):
        eventually(lambda: is_done(batch), 25)
        assert running.is_alive()
        assert relay.is_alive()
    assert states() == {"ready": 10, "failed": 1}
    poison = Document.objects.get(state=DocumentState.FAILED)
    assert poison.recipient_code == "003"
    assert poison.attempts == 3
    assert poison.failure == LOST
    assert_every_file_is_right(10)


def test_work_beyond_the_time_limit_is_stopped_and_told_so(own_broker, tmp_path):
    batch = run_of(6, {"2": "sleep 60"})
    here = {"CELERY_BROKER_URL": own_broker.url, "PRESSROOM_MAX_ATTEMPTS": "1"}
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="batch", children=2, **here),
    ):
        eventually(lambda: is_done(batch), 25)
    assert states() == {"ready": 5, "failed": 1}
    slow = Document.objects.get(state=DocumentState.FAILED)
    assert slow.recipient_code == "002"
    assert slow.failure == "It took longer than 4 seconds."


def test_an_error_in_a_template_fails_one_document_with_a_reason(own_broker, tmp_path):
    batch = run_of(6, {"2": "raise"})
    here = {"CELERY_BROKER_URL": own_broker.url, "PRESSROOM_MAX_ATTEMPTS": "2"}
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="batch", children=2, **here),
    ):
        eventually(lambda: is_done(batch), 25)
    assert states() == {"ready": 5, "failed": 1}
    broken = Document.objects.get(state=DocumentState.FAILED)
    assert (broken.attempts, broken.failure) == (2, "An unexpected error: RuntimeError.")
    assert re.search(r"asked to$", broken.failure_detail.strip())


def test_each_way_to_fail_is_named_and_the_neighbours_finish(own_broker, tmp_path):
    faults = {"1": "eat", "3": "spin", "5": "box", "7": "picture", "9": "abort"}
    batch = run_of(14, faults)
    here = {
        "CELERY_BROKER_URL": own_broker.url,
        "PRESSROOM_MAX_ATTEMPTS": "1",
        "PRESSROOM_RENDER_MEMORY_MB": "150",
    }
    with (
        dispatcher(tmp_path / "dispatcher.log", **here) as relay,
        worker(tmp_path / "worker.log", queues="batch", children=2, **here) as running,
    ):
        eventually(lambda: is_done(batch), 40)
        assert running.is_alive()
        assert relay.is_alive()
    reasons = dict(
        Document.objects.filter(state=DocumentState.FAILED).values_list("recipient_code", "failure")
    )
    assert reasons == {
        "001": "It needed more memory than is allowed.",
        "003": "It took longer than 4 seconds.",
        "005": "No installed font can print '\U0001f9ff' (U+1F9FF, NAZAR AMULET).",
        "007": "The picture or file asset:gone is missing.",
        "009": LOST,
    }
    assert states() == {"ready": 9, "failed": 5}
    assert_every_file_is_right(9)


def test_cut_database_connections_lose_and_double_nothing(own_broker, tmp_path):
    batch = run_of(24, {str(number): "sleep 0.2" for number in range(24)})
    here = {"CELERY_BROKER_URL": own_broker.url, "PRESSROOM_MAX_ATTEMPTS": "9"}
    with (
        dispatcher(tmp_path / "dispatcher.log", **here) as relay,
        worker(tmp_path / "worker.log", queues="batch", children=3, **here) as running,
    ):
        for enough in (2, 6, 10):
            eventually(lambda enough=enough: ready() >= enough)
            cut_other_connections()
        eventually(lambda: is_done(batch), 25)
        assert running.is_alive()
        assert relay.is_alive()
    assert states() == {"ready": 24}
    assert_every_file_is_right(24)


def test_the_dispatcher_outlives_a_database_that_is_away(own_broker, tmp_path):
    client = Redis(unix_socket_path=str(own_broker.socket_path))
    here = {"CELERY_BROKER_URL": own_broker.url}
    with dispatcher(tmp_path / "dispatcher.log", **here) as relay:
        DocumentFactory.create()
        eventually(lambda: client.llen("interactive") == 1)
        with nobody_may_connect():
            cut_other_connections()
            eventually(lambda: "The database is away" in relay.output())
            time.sleep(0.5)
            assert relay.is_alive()
        DocumentFactory.create()
        eventually(lambda: client.llen("interactive") == 2)
        assert relay.is_alive()


def test_the_dispatcher_outlives_a_broker_that_is_away_and_stops_when_told(own_broker, tmp_path):
    client = Redis(unix_socket_path=str(own_broker.socket_path))
    here = {"CELERY_BROKER_URL": own_broker.url}
    own_broker.stop()
    with dispatcher(tmp_path / "dispatcher.log", **here) as relay:
        eventually(lambda: "The broker is away" in relay.output())
        DocumentFactory.create()
        own_broker.start()
        eventually(lambda: client.llen("interactive") == 1)
        relay.process.terminate()
        assert relay.process.wait(10) == 0


def cut_other_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def nobody_may_connect():
    """The database refuses new connections; the test's own stays."""
    allow_connections(False)
    try:
        yield
    finally:
        allow_connections(True)


def allow_connections(allowed: bool) -> None:
    database = connection.settings_dict
    other = psycopg2.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname="postgres",
    )
    other.autocommit = True
    with other.cursor() as cursor:
        name = connection.ops.quote_name(database["NAME"])
        cursor.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}")
    other.close()
