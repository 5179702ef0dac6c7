"""What a rolling restart rests on, each part by itself; the whole is tried in test_rolling.py."""

import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Max
from gunicorn.config import Config

from config import serving
from documents import papers
from documents.models import Batch, BatchState, Document
from documents.services.batches import start_batch
from tests.factories import CompanyFactory
from tests.processes import (
    Running,
    dispatcher,
    environment,
    eventually,
    private_broker,
    worker,
)
from tests.worker.faults import kinds
from worker.models import Presence, Role

REQUEST = b"GET /live HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def web(log: Path, port: int, *more: str) -> Iterator[Running]:
    arguments = ["-m", "gunicorn", *more, "config.wsgi:application", "--no-control-socket"]
    arguments += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "2"]
    running = Running(arguments, log, environment())
    try:
        eventually(lambda: answers(port), 30)
        yield running
    finally:
        running.kill()
        print(running.output()[-3000:])


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(REQUEST + b"Connection: close\r\n\r\n")
            return client.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # met the port in the moment it was shut: the next is refused
        return False
    return False


@pytest.mark.django_db(transaction=True)
def test_a_web_that_stops_turns_new_requests_to_the_next_and_ends_what_it_began(tmp_path, port):
    with (
        web(tmp_path / "web.log", port, "--config", "python:config.serving") as running,
        socket.create_connection(("127.0.0.1", port), timeout=20) as begun,
    ):
        begun.sendall(REQUEST)  # and its end later
        eventually(lambda: answers(port))  # so it was taken
        running.process.terminate()
        eventually(lambda: refuses(port), 3)
        begun.sendall(b"Connection: close\r\n\r\n")
        assert begun.recv(12) == b"HTTP/1.1 200"
        assert running.process.wait(20) == 0


def test_what_a_web_process_has_loaded_is_left_alone_by_the_collector():
    config = Config()
    for name, value in vars(serving).items():
        if name in config.settings:
            config.set(name, value)
    loaded: list[int] = []
    config.post_worker_init(None)
    frozen = not any(one is loaded for one in gc.get_objects())
    gc.unfreeze()
    assert frozen


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_scaled_down_migrated_and_replaced_in_the_middle_of_a_run(
    tmp_path, monkeypatch, broker_at, archive_dir
):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)
    with private_broker() as broker, a_migration_of_the_next_version() as migrate:
        broker_at(broker.url)
        here = {"CELERY_BROKER_URL": broker.url}
        with (
            worker(tmp_path / "old.log", queues="batch", children=2, **here) as old,
            worker(tmp_path / "more.log", queues="batch", children=1, **here) as more,
        ):
            with dispatcher(tmp_path / "relay.log", **here) as relay:
                eventually(lambda: Presence.objects.filter(role=Role.WORKER).count() == 2, 60)
                batch = run_of(40)
                eventually(lambda: who_made() == 3, 30)
                stop(more)  # scaled down
                migrate()
                before = ready()
                eventually(lambda: ready() > before, 20)
                stop(relay)
            stop(old)
        assert ready() < 40
        with (
            dispatcher(tmp_path / "new-relay.log", **here),
            worker(tmp_path / "new.log", queues="batch", children=2, **here),
        ):
            eventually(
                lambda: Batch.objects.filter(pk=batch.pk, state=BatchState.DONE).exists(), 30
            )
    assert ready() == 40
    # Whoever stopped ended what was in hand: nothing was begun twice.
    assert Document.objects.aggregate(most=Max("attempts"))["most"] == 1


def run_of(count: int) -> Batch:
    slow = {str(number): "sleep 0.3" for number in range(count)}
    return start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={"count": count, "faults": slow},
        by=None,
    )


@contextmanager
def a_migration_of_the_next_version() -> Iterator[Callable[[], None]]:
    """A column more on papers, as every migration adds one: with a default of the database's."""

    def migrate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE documents_document ADD COLUMN more int NOT NULL DEFAULT 0")

    yield migrate
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE documents_document DROP COLUMN IF EXISTS more")


def who_made() -> int:
    """How many processes have made papers."""
    return Document.objects.exclude(made_by="").values("made_by").distinct().count()


def ready() -> int:
    return Document.objects.filter(state="ready").count()


def stop(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0
