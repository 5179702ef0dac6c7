"""The ZIP and the merged PDF of a run: asked for, made by a worker, stored, told when old."""

import hashlib
import io
import zipfile
from datetime import timedelta

import pikepdf
import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError

from accounts.models import Role
from documents import papers
from documents.archive import archive
from documents.models import Batch, BatchItem, BatchJob, BatchState, Document
from documents.papers import PaperKind, RunKind
from documents.selectors.bundles import bundle_of, describe_files, is_current
from documents.services import batch_files
from documents.services.batch_files import cancel_file, request_file
from documents.services.batches import close_finished_batches
from documents.tasks import run_batch_job
from tests.documents.runs import run_with
from tests.factories import BatchFactory, BatchItemFactory, DocumentFactory, member
from tests.worker.faults import kinds
from tests.worker.messages import waiting
from tests.worker.racing import at_once
from worker.clock import database_now

pytestmark = pytest.mark.django_db(transaction=True)
ZIP, MERGE, COVER = BatchJob.Step.ZIP, BatchJob.Step.MERGE, BatchJob.Step.COVER


@pytest.fixture(autouse=True)
def _archive(archive_dir, queues):
    """An empty archive, and queues without leftovers."""


def pdf(text: str) -> bytes:
    made = pikepdf.new()
    made.add_blank_page().Contents = made.make_stream(text.encode())
    file = io.BytesIO()
    made.save(file, deterministic_id=True)
    return file.getvalue()


def add_ready(batch: Batch, name: str) -> Document:
    content = pdf(name)
    stored = archive().store(content, folder=f"documents/{batch.company_id}", suffix=".pdf")
    document = DocumentFactory.create(
        company=batch.company,
        ready=True,
        storage_key=stored.key,
        sha256=stored.sha256,
        size=stored.size,
    )
    place = batch.items.count()
    BatchItemFactory.create(
        batch=batch, document=document, code=f"C-{place}", name=name, position=place
    )
    return document


@pytest.fixture
def batch():
    made = BatchFactory.create(state=BatchState.DONE, title="October")
    for name in ("Beta", "Alpha", "Gamma"):
        add_ready(made, name)
    return made


def ask(batch, step=ZIP):
    return request_file(batch=batch, step=step, by=None)


def make(batch, step=ZIP):
    job = ask(batch, step)
    outcome = run_batch_job(str(job.pk))
    job.refresh_from_db()
    return job, outcome


def content_of(job):
    return archive().read(job.storage_key, job.sha256)


def names_in(job):
    with zipfile.ZipFile(io.BytesIO(content_of(job))) as found:
        assert found.testzip() is None
        return found.namelist()


def marks_in(job):
    with pikepdf.open(io.BytesIO(content_of(job))) as found, found.open_outline() as outline:
        return [item.title for item in outline.root]


def test_a_worker_makes_the_zip_of_what_is_ready(batch):
    BatchItemFactory.create(batch=batch, document=DocumentFactory.create(failed=True))
    job, outcome = make(batch)
    assert outcome == "done"
    assert names_in(job) == ["C-0 Beta.pdf", "C-1 Alpha.pdf", "C-2 Gamma.pdf"]
    assert (job.done, job.total, job.size) == (3, 3, len(content_of(job)))
    assert hashlib.sha256(content_of(job)).hexdigest() == job.sha256
    assert job.storage_key.startswith(f"runs/{batch.company_id}/")


def test_a_worker_makes_one_pdf_of_what_is_ready(batch):
    job, _ = make(batch, MERGE)
    assert marks_in(job) == ["C-0 Beta", "C-1 Alpha", "C-2 Gamma"]


@pytest.mark.parametrize("step", [ZIP, MERGE])
def test_the_same_papers_give_the_same_file(batch, step):
    first, _ = make(batch, step)
    second, _ = make(batch, step)
    assert (first.sha256, first.storage_key) == (second.sha256, second.storage_key)


def test_asked_for_twice_it_is_made_once(batch):
    first, second = ask(batch), ask(batch)
    assert first.pk == second.pk
    assert LogEntry.objects.get_for_object(batch).count() == 1


@pytest.mark.servers
def test_two_people_who_ask_at_once_begin_one_job(batch):
    jobs = at_once(*[lambda: ask(batch)] * 4)
    assert len({job.pk for job in jobs}) == 1
    assert LogEntry.objects.get_for_object(batch).count() == 1


@pytest.mark.parametrize(
    ("state", "count", "why"),
    [
        (BatchState.RUNNING, 1, "goes on"),
        (BatchState.PLANNING, 0, "goes on"),
        (BatchState.DONE, 0, "None of its papers"),
    ],
)
def test_a_file_of_nothing_is_refused(state, count, why):
    batch = run_with(count, "ready", batch=BatchFactory.create(state=state))
    with pytest.raises(ValidationError, match=why):
        ask(batch)


def test_only_files_are_asked_for_as_files(batch):
    with pytest.raises(ValueError, match="plan makes no file"):
        ask(batch, BatchJob.Step.PLAN)
    assert not BatchJob.objects.exists()


@pytest.mark.parametrize("step", [ZIP, MERGE])
def test_papers_that_are_gone_when_it_is_made_leave_no_empty_file(batch, step):
    job = ask(batch, step)
    Document.objects.update(state="failed", failure="Why.")
    assert run_batch_job(str(job.pk)) == "failed"
    job.refresh_from_db()
    assert (job.failure, job.storage_key) == ("None of its papers is ready.", "")


@pytest.mark.parametrize("step", [ZIP, MERGE])
def test_a_damaged_paper_fails_the_job_and_is_named(batch, step):
    document = batch.items.get(name="Alpha").document
    (archive().root / document.storage_key).write_bytes(b"%PDF-1.7 altered")
    job, outcome = make(batch, step)
    assert outcome == "failed"
    assert job.failure == "The stored paper of C-1 Alpha is damaged or missing."
    assert not job.storage_key
    assert [path for path in archive().root.rglob("runs/*/*") if path.is_file()] == []


def test_a_stored_paper_that_is_no_pdf_is_named(batch):
    stored = archive().store(b"rubbish", folder="documents/1", suffix=".pdf")
    item = batch.items.get(name="Gamma")
    Document.objects.filter(pk=item.document_id).update(
        storage_key=stored.key, sha256=stored.sha256
    )
    job, _ = make(batch, MERGE)
    assert job.failure == "The stored paper of C-2 Gamma can't be read."


def test_a_file_is_old_when_more_is_ready_than_it_has(batch, settings):
    settings.FILE_NOW_LIMIT = 0
    job, _ = make(batch)
    assert is_current(job, bundle_of(batch).parts)
    add_ready(batch, "Delta")
    [facts, _] = describe_files(bundle_of(batch))
    assert (facts.is_there, facts.is_old, facts.streams) == (True, True, False)
    job, _ = make(batch)
    assert len(names_in(job)) == 4
    assert not describe_files(bundle_of(batch))[0].is_old


def test_how_far_it_is_can_be_read_while_it_is_made(batch, monkeypatch):
    monkeypatch.setattr(batch_files, "_TELL_EVERY", 0)
    seen = []
    opened = batch_files.open_part

    def looking(part):
        job = BatchJob.objects.get()
        seen.append((job.done, job.total))
        return opened(part)

    monkeypatch.setattr(batch_files, "open_part", looking)
    make(batch)
    assert seen == [(0, 3), (1, 3), (2, 3)]


def test_a_cancelled_job_stops_at_the_next_paper_and_leaves_no_file(batch, monkeypatch):
    monkeypatch.setattr(batch_files, "_TELL_EVERY", 0)
    opened = batch_files.open_part

    def cancelled_meanwhile(part):
        if part.title == "C-0 Beta":
            cancel_file(batch=batch, step=ZIP, by=None)
        return opened(part)

    monkeypatch.setattr(batch_files, "open_part", cancelled_meanwhile)
    job, outcome = make(batch)
    assert outcome == "failed, but the lease was lost"
    assert (job.state, job.storage_key) == ("cancelled", "")
    assert [path for path in archive().root.rglob("runs/*") if path.is_file()] == []
    with pytest.raises(ValidationError):
        cancel_file(batch=batch, step=ZIP, by=None)


# --- The covering list ---------------------------------------------------------------------------


@pytest.fixture
def covered(monkeypatch, batch):
    """Runs of this kind have a covering list: it names the rows that are ready."""
    monkeypatch.setitem(
        papers._registry.papers, "faulty", PaperKind("faulty", "Faulty", "faults/paper.html", 1)
    )
    monkeypatch.setitem(
        papers._registry.runs, batch.kind, RunKind(batch.kind, "Run", kinds.plan, cover=cover)
    )
    return batch


def cover(batch):
    ready = batch.items.filter(document__state="ready").count()
    return kinds.faulty_paper(ready, run=str(batch.pk))


def finish_cover(**changes):
    document = Document.objects.get(kind="faulty", state="queued")
    stored = archive().store(pdf("cover"), folder="documents/1", suffix=".pdf")
    facts = {"storage_key": stored.key, "sha256": stored.sha256, "size": stored.size, "pages": 1}
    Document.objects.filter(pk=document.pk).update(**{"state": "ready", **facts, **changes})


def run_cover():
    return run_batch_job(str(BatchJob.objects.get(step=COVER).pk))


@pytest.mark.parametrize("step", [ZIP, MERGE])
def test_the_covering_list_comes_first(covered, step):
    job = ask(covered, step)
    run_batch_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 0)  # it waits for the list
    assert run_cover() == "done"
    finish_cover()
    BatchJob.objects.update(next_attempt_at=covered.created_at)
    assert run_batch_job(str(job.pk)) == "done"
    job.refresh_from_db()
    found = names_in(job) if step == ZIP else marks_in(job)
    assert found[0].startswith("00 Covering list")
    assert len(found) == 4


def test_when_a_file_looks_for_its_covering_list_again_is_told_by_the_databases_clock(
    covered, monkeypatch
):
    tomorrow = database_now() + timedelta(days=1)
    monkeypatch.setattr(batch_files, "database_now", lambda: tomorrow)
    job = ask(covered)
    run_batch_job(str(job.pk))
    job.refresh_from_db()
    assert job.next_attempt_at == tomorrow + timedelta(seconds=1)


def test_without_its_covering_list_which_failed_the_file_is_made_all_the_same(covered):
    job = ask(covered)
    run_cover()
    Document.objects.filter(kind="faulty").update(state="failed", failure="A character.")
    assert run_batch_job(str(job.pk)) == "done"
    job.refresh_from_db()
    assert names_in(job)[0] == "C-0 Beta.pdf"


def made_cover(batch):
    """Asked for once more, as where a run closes again."""
    batch_files.request_covers([batch])
    assert run_cover() == "done"
    return Document.objects.get(kind="faulty")


def test_a_covering_list_that_says_the_same_is_not_made_again(covered, queues):
    made_cover(covered)
    finish_cover()
    asked_for = waiting(queues, "batch")
    assert made_cover(covered).state == "ready"
    assert waiting(queues, "batch") == asked_for


def test_a_covering_list_that_failed_is_made_again(covered):
    made_cover(covered)
    Document.objects.filter(kind="faulty").update(state="failed", failure="A character.")
    LogEntry.objects.all().delete()
    person = member(Role.CLERK, company=covered.company).user
    Batch.objects.for_company(covered.company).update(requested_by=person)
    document = made_cover(covered)
    assert (document.state, document.failure) == ("queued", "")
    [entry] = LogEntry.objects.get_for_object(document)
    assert (entry.actor, entry.changes) == (person, {"state": ["failed", "queued again"]})


def test_a_kind_of_run_that_has_no_covering_list_any_more_says_so(covered, monkeypatch):
    batch_files.request_covers([covered])
    monkeypatch.setitem(
        papers._registry.runs, covered.kind, RunKind(covered.kind, "Run", kinds.plan)
    )
    assert run_cover() == "failed"
    assert BatchJob.objects.get().failure == "Runs of this kind have no covering list."


def test_a_run_that_closes_asks_for_its_covering_list(covered):
    Batch.objects.update(state=BatchState.RUNNING)
    assert close_finished_batches() == 1
    run_cover()
    first = Document.objects.get(kind="faulty")
    add_ready(covered, "Late")
    Batch.objects.update(state=BatchState.RUNNING)
    assert close_finished_batches() == 1
    run_cover()
    assert Document.objects.filter(kind="faulty").count() == 2
    assert BatchJob.objects.get(step=COVER).contents != first.fingerprint


def test_a_small_run_is_streamed_once_its_covering_list_is_settled(covered):
    assert not bundle_of(covered).may_stream(ZIP)
    ask(covered)
    run_cover()
    assert not bundle_of(covered).may_stream(ZIP)
    finish_cover()
    assert bundle_of(covered).may_stream(ZIP)
    assert bundle_of(covered).parts[0].title == "00 Covering list"


def test_a_large_run_is_not_streamed(batch, settings):
    settings.FILE_NOW_LIMIT = 3
    assert bundle_of(batch).may_stream(ZIP)
    assert not bundle_of(batch).may_stream(MERGE)
    settings.FILE_NOW_LIMIT = 2
    assert not bundle_of(batch).may_stream(ZIP)
    assert BatchItem.objects.count() == 3
