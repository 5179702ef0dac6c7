"""Where the proxy reads the archive, the web only says which file; it still decides who may."""

import pytest
from django.urls import reverse

from documents.models import BatchJob, BatchState
from documents.views import ranges
from tests.documents.archived import HARMS, path_of, with_file
from tests.documents.pages.test_batch_downloads import store
from tests.factories import BatchFactory, CompanyFactory


@pytest.fixture(autouse=True)
def _the_proxy_reads_the_archive(settings, archive_dir):
    settings.ACCEL_PREFIX = "/_archive/"


@pytest.fixture
def document(company):
    return with_file(company=company, title="Statement Oct 2026")


def url(document):
    return reverse("documents:download", args=[document.pk])


def test_the_proxy_is_told_the_file_and_how_to_describe_it(client, document):
    response = client.get(url(document))
    assert response.status_code == 200
    assert response["X-Accel-Redirect"] == f"/_archive/{document.storage_key}"
    assert response.content == b""
    assert response["ETag"] == f'"{document.sha256}"'
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith('attachment; filename="Statement Oct 2026')
    assert response["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-cache"


def test_parts_are_left_to_the_proxy(client, document):
    response = client.get(url(document), headers={"range": "bytes=2-3"})
    assert response.status_code == 200
    assert "X-Accel-Redirect" in response
    assert "Content-Range" not in response


def test_a_reader_that_has_it_is_told_so_without_a_file(client, document):
    response = client.get(url(document), headers={"if-none-match": f'"{document.sha256}"'})
    assert response.status_code == 304
    assert "X-Accel-Redirect" not in response


def test_a_condition_that_the_proxy_would_get_wrong_is_answered_here(client, document):
    response = client.get(url(document), headers={"if-match": f'"{document.sha256}"'})
    assert response.status_code == 200
    assert "X-Accel-Redirect" not in response
    assert b"".join(response) == path_of(document).read_bytes()


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_file_is_never_pointed_at(client, document, harm):
    HARMS[harm][0](path_of(document))
    response = client.get(url(document))
    assert response.status_code == 500
    assert "X-Accel-Redirect" not in response


def test_a_stranger_is_not_told_where_anything_lies(client):
    response = client.get(url(with_file(company=CompanyFactory.create())))
    assert response.status_code == 404
    assert "X-Accel-Redirect" not in response


def test_only_an_archive_of_files_is_pointed_into(client, document, monkeypatch):
    there = ranges.archive()

    class Elsewhere:
        """Behaves as another kind of archive: the proxy has no file of it."""

        open_checked = staticmethod(there.open_checked)

    monkeypatch.setattr(ranges, "archive", Elsewhere)
    response = client.get(url(document))
    assert "X-Accel-Redirect" not in response
    assert b"".join(response) == path_of(document).read_bytes()


def test_the_file_of_a_run_that_a_worker_made_is_pointed_at(client, company):
    batch = BatchFactory.create(company=company, state=BatchState.DONE, title="October")
    job = store(batch, BatchJob.Step.MERGE, b"%PDF-1.7 all of them")
    response = client.get(reverse("documents:batch_merged", args=[batch.pk]))
    assert response["X-Accel-Redirect"] == f"/_archive/{job.storage_key}"
    assert 'filename="October.pdf"' in response["Content-Disposition"]
