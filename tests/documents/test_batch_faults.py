"""Real workers at a run: killed at a ZIP, paused, cancelled; then the files and rows are read."""

import io
import os
import signal
import time
import zipfile
from pathlib import Path

import pikepdf
import pytest

from documents import papers
from documents.archive import archive
from documents.models import Batch, BatchJob, BatchState, Document
from documents.services.batch_actions import cancel_batch, pause_batch, resume_batch, retry_failed
from documents.services.batch_files import request_file
from documents.services.batches import start_batch
from tests.documents.runs import add_papers, states_of
from tests.documents.test_batch_files import pdf
from tests.factories import BatchFactory, CompanyFactory
from tests.processes import dispatcher, eventually, private_broker, worker
from tests.worker.faults import kinds

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
PAPERS = 4000


@pytest.fixture(autouse=True)
def _faulty_kinds(monkeypatch, archive_dir):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setitem(papers._registry.runs, "faulty", kinds.FAULTY_RUN)


@pytest.fixture
def here(broker_at):
    with private_broker() as broker:
        broker_at(broker.url)
        yield {"CELERY_BROKER_URL": broker.url}


def large_run() -> Batch:
    batch = BatchFactory.create(state=BatchState.DONE)
    add_papers(batch, PAPERS, "ready")
    content = pdf("A paper.")
    stored = archive().store(content, folder="documents/1", suffix=".pdf")
    Document.objects.update(storage_key=stored.key, sha256=stored.sha256, size=stored.size, pages=1)
    return batch


def kill_children(parent: int) -> None:
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)


def right(step: str, content: bytes) -> bool:
    if step == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as found:
            return found.testzip() is None and len(set(found.namelist())) == PAPERS
    with pikepdf.open(io.BytesIO(content)) as merged:
        return len(merged.pages) == PAPERS and not merged.check_pdf_syntax()


@pytest.mark.parametrize("step", ["zip", pytest.param("merge", marks=pytest.mark.slow)])
def test_a_file_whose_worker_is_killed_is_taken_up_and_right(here, tmp_path, step):
    job = request_file(batch=large_run(), step=BatchJob.Step(step), by=None)
    enough = {**here, "PRESSROOM_TASK_TIME_LIMIT": "60"}
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="batch", children=1, **enough) as running,
    ):
        eventually(lambda: any(archive().root.glob("runs/*/.draft-*")), 40)  # half written
        kill_children(running.process.pid)
        assert BatchJob.objects.get(pk=job.pk).state == "running"
        eventually(lambda: BatchJob.objects.get(pk=job.pk).state == "done", 60)
        assert running.is_alive()
    job.refresh_from_db()
    assert (job.attempts, job.done, job.total) == (2, PAPERS, PAPERS)
    assert right(step, archive().read(job.storage_key, job.sha256))
    finals = [path for path in archive().root.glob("runs/*/*/*") if path.is_file()]
    assert len(finals) == 1


def slow_run(count: int) -> Batch:
    return start_batch(
        company=CompanyFactory.create(),
        kind="faulty",
        title="Run",
        parameters={
            "count": count,
            "faults": {str(number): "sleep 0.3" for number in range(count)},
        },
        by=None,
    )


def fresh(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def test_a_run_is_paused_and_resumed_under_a_worker(here, tmp_path):
    batch = slow_run(16)
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="batch", children=2, **here),
    ):
        eventually(lambda: states_of(batch).get("ready", 0) >= 4, 60)
        pause_batch(batch=fresh(batch), by=None)
        eventually(lambda: "running" not in states_of(batch))
        paused = states_of(batch)
        time.sleep(1.5)
        assert states_of(batch) == paused
        assert paused["held"] > 0
        assert fresh(batch).state == BatchState.RUNNING
        resume_batch(batch=fresh(batch), by=None)
        eventually(lambda: fresh(batch).state == BatchState.DONE, 40)
    assert states_of(batch) == {"ready": 16}
    assert set(Document.objects.values_list("attempts", flat=True)) == {1}


def test_a_run_is_cancelled_under_a_worker_and_made_after_all(here, tmp_path):
    batch = slow_run(16)
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="batch", children=2, **here),
    ):
        eventually(lambda: states_of(batch).get("ready", 0) >= 4, 60)
        cancelled = cancel_batch(batch=fresh(batch), by=None)
        eventually(lambda: "running" not in states_of(batch))
        time.sleep(1)
        assert states_of(batch) == {"ready": 16 - cancelled, "cancelled": cancelled}
        assert fresh(batch).state == BatchState.CANCELLED
        retry_failed(batch=fresh(batch), by=None, with_cancelled=True)
        eventually(lambda: fresh(batch).state == BatchState.DONE, 40)
    assert states_of(batch) == {"ready": 16}
