"""A run's papers in one file: the ZIP of a small run at once, the rest from the archive."""

import io
import zipfile

import pytest
from django.test import Client
from django.urls import reverse

from documents.archive import archive
from documents.models import BatchJob, BatchState
from tests.documents.runs import run_with
from tests.documents.test_batch_files import add_ready, pdf
from tests.factories import BatchFactory, BatchJobFactory

FILES = ["zip", "merged"]


def url(name, batch):
    return reverse(f"documents:batch_{name}", args=[batch.pk])


@pytest.fixture
def batch(company):
    made = BatchFactory.create(company=company, state=BatchState.DONE, title="October")
    for name in ("Beta", "Alpha"):
        add_ready(made, name)
    return made


def store(batch, step, content):
    stored = archive().store(content, folder=f"runs/{batch.company_id}", suffix=".zip")
    return BatchJobFactory.create(
        batch=batch,
        step=step,
        state="done",
        finished_at=batch.created_at,
        storage_key=stored.key,
        sha256=stored.sha256,
        size=stored.size,
        contents="0" * 64,
    )


def names(content):
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        return found.namelist()


def test_the_zip_of_a_small_run_is_streamed_with_its_length(client, batch):
    response = client.get(url("zip", batch))
    assert response.streaming
    assert response["Content-Type"] == "application/zip"
    content = b"".join(response)
    assert response["Content-Length"] == str(len(content))
    assert names(content) == ["C-0 Beta.pdf", "C-1 Alpha.pdf"]
    assert 'filename="October.zip"' in response["Content-Disposition"]


def test_a_streamed_zip_that_broke_off_goes_on_where_it_was(client, batch):
    whole = client.get(url("zip", batch))
    content = b"".join(whole)
    for at in (0, 1, 40, len(content) // 2, len(content) - 1):
        rest = client.get(
            url("zip", batch), headers={"range": f"bytes={at}-", "if-range": whole["ETag"]}
        )
        assert rest.status_code == 206
        assert content[:at] + b"".join(rest) == content
    add_ready(batch, "Late")
    other = client.get(url("zip", batch), headers={"range": "bytes=9-", "if-range": whole["ETag"]})
    assert other.status_code == 200
    assert len(names(b"".join(other))) == 3


def test_a_damaged_paper_is_found_before_the_first_byte(client, batch, caplog):
    document = batch.items.get(name="Alpha").document
    (archive().root / document.storage_key).unlink()
    response = client.get(url("zip", batch))
    assert response.status_code == 500
    assert "A stored file is damaged" in response.content.decode()
    assert any("C-1 Alpha" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("name", "step"), list(zip(FILES, BatchJob.Step.values[2:], strict=True)))
def test_what_a_worker_made_comes_from_the_archive(client, batch, settings, name, step):
    settings.FILE_NOW_LIMIT = 0
    job = store(batch, step, b"content of it")
    response = client.get(url(name, batch))
    assert b"".join(response) == b"content of it"
    assert response["ETag"] == f'"{job.sha256}"'
    part = client.get(url(name, batch), headers={"range": "bytes=8-9"})
    assert (part.status_code, b"".join(part)) == (206, b"of")
    unchanged = client.get(url(name, batch), headers={"if-none-match": f'"{job.sha256}"'})
    assert unchanged.status_code == 304


@pytest.mark.parametrize("name", FILES)
def test_what_is_not_made_yet_says_where_to_have_it_made(client, batch, settings, name):
    settings.FILE_NOW_LIMIT = 0
    response = client.get(url(name, batch))
    assert response.status_code == 409
    assert "Have it made on the page of the run" in response.content.decode()


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_of_a_run_is_never_served(client, batch, settings, name):
    settings.FILE_NOW_LIMIT = 0
    for step in (BatchJob.Step.ZIP, BatchJob.Step.MERGE):
        job = store(batch, step, pdf(step))
        (archive().root / job.storage_key).write_bytes(b"altered")
    assert client.get(url(name, batch)).status_code == 500


@pytest.mark.parametrize("name", FILES)
def test_a_stranger_finds_no_file(stranger_client, batch, name):
    assert stranger_client.get(url(name, batch)).status_code == 404


@pytest.mark.parametrize("name", FILES)
def test_the_anonymous_sign_in_first(batch, name):
    assert Client().get(url(name, batch)).status_code == 302


def test_who_may_only_look_downloads_too(viewer_client, batch):
    assert viewer_client.get(url("zip", batch)).status_code == 200


def test_the_page_offers_what_there_is(client, batch, settings):
    body = client.get(batch.get_absolute_url()).content.decode()
    assert 'id="get-zip"' in body
    assert 'id="make-merge"' in body
    settings.FILE_NOW_LIMIT = 0
    store(batch, BatchJob.Step.ZIP, b"of other papers")
    body = client.get(batch.get_absolute_url()).content.decode()
    assert "Papers were made since." in body
    assert 'id="make-zip"' in body


def test_the_page_shows_how_far_a_file_is_and_goes_on_asking(client, batch):
    BatchJobFactory.create(batch=batch, step="merge", state="running", done=40, total=200)
    response = client.get(batch.get_absolute_url())
    assert "40 of 200" in response.content.decode()
    assert not response.context["is_final"]


def test_a_job_that_failed_says_why(client, batch):
    BatchJobFactory.create(batch=batch, step="merge", state="failed", failure="It was damaged.")
    body = client.get(batch.get_absolute_url()).content.decode()
    assert "It was damaged." in body
    assert 'id="make-merge"' in body


def test_a_run_without_papers_offers_no_file(client, company):
    batch = run_with(1, "failed", batch=BatchFactory.create(company=company, state="done"))
    assert "All papers in one file" not in client.get(batch.get_absolute_url()).content.decode()
