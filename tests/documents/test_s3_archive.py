"""An archive in a bucket keeps the promises of the one on a disk: on a server of this machine."""

import hashlib
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from documents.archive import DRAFT, Damaged, Missing, Unavailable, key_parts, open_archive
from documents.archive.addresses import parse_bucket
from documents.checks import archive_is_writable
from documents.models import ArchiveSweep, Document, DocumentState
from documents.services import orphans
from documents.services.requests import request_document
from documents.services.sweeping import start_sweep, sweep_piece
from documents.tasks import make_document
from tests.documents.archived import swept
from tests.documents.papers import statement_paper
from tests.factories import PDF, CompanyFactory, DocumentFactory, member
from tests.processes import ROOT
from tests.s3 import new_bucket, s3_server
from tests.worker.racing import at_once
from worker.running import work_on

CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FUTURE = time.time() + 1_000_000  # longer than any run of the tests


@pytest.fixture(scope="module")
def server():
    with s3_server() as found:
        yield found


@pytest.fixture
def url(server):
    return new_bucket(server)


@pytest.fixture
def bucket(url):
    return open_archive(url)


def store(bucket, content=CONTENT):
    return bucket.store(content, folder="documents/1", suffix=".pdf")


def names(bucket):
    return sorted(found.key for folder in bucket.folders() for found in bucket.files_in(folder))


def finals(bucket):
    return [name for name in names(bucket) if DRAFT not in name]


def put(bucket, key, content):
    bucket.client.put_object(Bucket=bucket.bucket, Key=bucket.prefix + key, Body=content)


def test_what_is_stored_is_read_back_under_its_hash(bucket):
    stored = store(bucket)
    assert (stored.sha256, stored.size) == (DIGEST, len(CONTENT))
    assert stored.key == f"documents/1/{DIGEST[:2]}/{DIGEST}.pdf"
    assert stored == bucket.place(CONTENT, folder="documents/1", suffix=".pdf")
    assert bucket.read(stored.key, DIGEST) == CONTENT
    assert bucket.size(stored.key) == len(CONTENT)
    assert names(bucket) == [stored.key]


def test_a_large_file_is_stored_from_its_parts(bucket):
    parts = [bytes([number]) * 1_000_000 for number in range(12)]
    stored = bucket.store_chunks(iter(parts), folder="runs/1", suffix=".zip")
    with bucket.open_checked(stored.key, stored.sha256) as file:
        file.seek(11_999_999)
        assert file.read() == bytes([11])
    assert stored.size == bucket.size(stored.key) == 12_000_000


def test_the_same_content_is_not_written_again(bucket):
    before = bucket._about(store(bucket).key)["LastModified"]
    time.sleep(1.1)  # dates are whole seconds
    assert bucket._about(store(bucket).key)["LastModified"] == before
    assert len(finals(bucket)) == 1


@pytest.mark.parametrize("changed", [b"X" + CONTENT[1:], CONTENT[:-1], b""])
def test_a_changed_file_is_found_when_it_is_read_and_mended_when_it_is_stored(bucket, changed):
    key = store(bucket).key
    put(bucket, key, changed)
    with pytest.raises(Damaged, match="has changed"):
        bucket.read(key, DIGEST)
    store(bucket)
    assert bucket.read(key, DIGEST) == CONTENT


def test_what_the_bucket_does_not_give_back_does_not_count_as_stored(bucket, monkeypatch):
    monkeypatch.setattr(bucket, "_fetch", lambda key, file: "0" * 64)
    with pytest.raises(Unavailable, match="does not give back"):
        store(bucket)


def test_a_missing_file_is_told_as_missing_and_a_silent_server_is_not(bucket):
    key = store(bucket).key
    bucket._delete(key)
    with pytest.raises(Missing):
        bucket.open_checked(key, DIGEST)
    with pytest.raises(Missing):
        bucket.size(key)
    away = open_archive("s3://key:secret@127.0.0.1:9/papers?tls=off")
    assert not away.is_writable()
    with pytest.raises(Unavailable):
        away.read(key, DIGEST)


@pytest.fixture
def another():
    """A server that knows nothing of S3, as where something else was given its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as running:
        Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        yield open_archive(f"s3://key:secret@127.0.0.1:{running.server_port}/papers?tls=off")
        running.shutdown()


def test_a_server_that_does_not_do_it_says_nothing_of_its_files(another):
    with pytest.raises(Unavailable):
        another.read("documents/1/ab/file", DIGEST)
    with pytest.raises(Unavailable):
        another.size("documents/1/ab/file")


@pytest.mark.parametrize("key", ["../secret", "documents/../../secret", "/etc/passwd"])
def test_a_key_that_points_out_of_the_archive_is_refused(bucket, key):
    with pytest.raises(Damaged, match="points out of the archive"):
        bucket.read(key, DIGEST)


def test_many_writers_of_the_same_content_end_with_one_file(bucket):
    results = at_once(*[lambda: store(bucket)] * 8)
    assert {result.sha256 for result in results} == {DIGEST}
    assert len(finals(bucket)) == 1
    assert bucket.read(results[0].key, DIGEST) == CONTENT


def test_a_server_without_conditional_puts_will_do(bucket, monkeypatch):
    plain = bucket._put

    def refusing(key, file, **condition):
        if condition:
            file.seek(0)
            bucket_error("NotImplemented")
        plain(key, file)

    def bucket_error(code):
        from botocore.exceptions import ClientError

        error = ClientError({"Error": {"Code": code}}, "PutObject")
        raise Unavailable("no") from error

    monkeypatch.setattr(bucket, "_put", refusing)
    key = store(bucket).key
    assert store(bucket).key == key
    assert bucket.read(key, DIGEST) == CONTENT


def test_folders_come_in_order_and_from_where_it_stopped(bucket):
    for name in ["b/1/f", "a/2/x/f", "a/10/f", "a/f", "a-b/1/f"]:
        put(bucket, name, b"x")
    every = list(bucket.folders())
    assert every == ["a", "a/10", "a/2", "a/2/x", "a-b", "a-b/1", "b", "b/1"]
    for place, folder in enumerate(every):
        assert list(bucket.folders(after=folder)) == every[place + 1 :]


# --- Collecting ----------------------------------------------------------------------------------


def test_an_old_file_is_removed_and_a_young_one_is_not(bucket):
    key = store(bucket).key
    assert not bucket.remove(key, untouched_since=time.time() - 1000)
    assert bucket.remove(key, untouched_since=FUTURE)
    assert names(bucket) == []
    assert not bucket.remove(key, untouched_since=FUTURE)


def test_an_old_touch_is_removed_and_no_copy_of_it_put_aside(bucket, monkeypatch):
    monkeypatch.delattr(type(bucket), "_copy")
    store(bucket)
    key = store(bucket).key
    [touch] = set(names(bucket)) - {key}
    assert not bucket.remove(touch, untouched_since=time.time() - 1000)
    assert bucket.remove(touch, untouched_since=FUTURE)
    assert names(bucket) == [key]


@pytest.mark.parametrize("step", ["_was_touched", "_copy", "_delete"])
def test_what_is_stored_again_before_any_step_of_the_removal_is_there_afterwards(
    bucket, monkeypatch, step
):
    """Whoever stores at that moment comes between two requests of the collector."""
    key, since = store(bucket).key, _dated_behind(bucket)
    taken = getattr(bucket, step)
    calls = []

    def stored_first(*arguments):
        calls.append(step)
        monkeypatch.setattr(bucket, step, taken)
        store(bucket)
        return taken(*arguments)

    monkeypatch.setattr(bucket, step, stored_first)
    bucket.remove(key, untouched_since=since)
    assert calls
    assert bucket.read(key, DIGEST) == CONTENT
    assert finals(bucket) == [key]


def test_what_is_removed_while_it_is_stored_again_is_written_anew(bucket, monkeypatch):
    key, since = store(bucket).key, _dated_behind(bucket)
    touch = bucket._touch

    def removed_first(touched):
        assert bucket.remove(key, untouched_since=since)
        touch(touched)

    monkeypatch.setattr(bucket, "_touch", removed_first)
    store(bucket)
    assert bucket.read(key, DIGEST) == CONTENT


def test_without_touches_a_file_that_is_counted_on_is_lost(bucket, monkeypatch):
    """The control of the two above."""
    key, since = store(bucket).key, _dated_behind(bucket)
    monkeypatch.setattr(bucket, "_touch", lambda key: None)
    delete = bucket._delete

    def stored_first(*arguments):
        monkeypatch.setattr(bucket, "_delete", delete)
        store(bucket)
        delete(*arguments)

    monkeypatch.setattr(bucket, "_delete", stored_first)
    bucket.remove(key, untouched_since=since)
    assert finals(bucket) == []


def _dated_behind(bucket):
    """A moment after everything that lies there now; dates are whole seconds."""
    time.sleep(2.1 - time.time() % 1)
    return time.time() - 1


# --- In the house --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("queues")
class TestInTheHouse:
    @pytest.fixture(autouse=True)
    def _in_the_bucket(self, settings, url):
        settings.STORAGE_URL = url

    def test_a_document_is_made_into_the_bucket(self, bucket):
        document = request_document(
            company=CompanyFactory.create(), paper=statement_paper(), by=None
        )
        assert make_document(str(document.pk)) == "done"
        document.refresh_from_db()
        assert bucket.read(document.storage_key, document.sha256).startswith(b"%PDF")

    def test_a_silent_bucket_puts_a_document_off(self, settings):
        settings.STORAGE_URL = "s3://key:secret@127.0.0.1:9/papers?tls=off"
        document = request_document(
            company=CompanyFactory.create(), paper=statement_paper(), by=None
        )
        assert make_document(str(document.pk)) == "failed"
        document.refresh_from_db()
        assert (document.state, document.attempts) == (DocumentState.QUEUED, 1)

    def test_the_sweep_finds_loss_and_collects_what_belongs_to_nobody(self, bucket, monkeypatch):
        monkeypatch.setattr(orphans, "_grace_ended", lambda: FUTURE)
        kept, lost = DocumentFactory.create_batch(2, ready=True)
        bucket._delete(lost.storage_key)
        orphan = store(bucket).key
        sweep = swept()
        assert (sweep.checked, sweep.missing, sweep.changed) == (2, 1, 0)
        assert (sweep.strays, sweep.orphans, sweep.orphan_bytes) == (1, 1, len(CONTENT))
        assert names(bucket) == [kept.storage_key]
        assert orphan not in names(bucket)

    def test_a_bucket_that_is_away_marks_no_document_as_lost(self, settings):
        document = DocumentFactory.create(ready=True)
        settings.STORAGE_URL = "s3://key:secret@127.0.0.1:9/papers?tls=off"
        sweep = start_sweep()
        assert work_on(ArchiveSweep, sweep.pk, sweep_piece) == "failed"
        assert Document.objects.get(pk=document.pk).damage == ""
        assert ArchiveSweep.objects.get(pk=sweep.pk).checked == 0

    def test_a_download_while_the_bucket_is_away_says_to_try_again(self, settings, client):
        ours = member()
        document = DocumentFactory.create(company=ours.company, ready=True)
        client.force_login(ours.user)
        url = reverse("documents:download", args=[document.pk])
        assert b"".join(client.get(url).streaming_content) == PDF
        settings.STORAGE_URL = "s3://key:secret@127.0.0.1:9/papers?tls=off"
        response = client.get(url)
        assert (response.status_code, response["Retry-After"]) == (503, "30")

    def test_a_bucket_that_is_not_there_is_a_problem_in_words_without_the_secret(
        self, settings, server
    ):
        settings.STORAGE_URL = f"s3://key:hush@{server}/nobodys?tls=off"
        [problem] = archive_is_writable()
        assert "STORAGE_URL" in problem.text
        assert "hush" not in problem.text


# --- Where it is ---------------------------------------------------------------------------------


def test_a_url_says_all_there_is_to_know():
    found = parse_bucket("s3://AK:se%2Fcret@s3.example.com/papers/a/b?region=eu-central-1")
    assert (found.endpoint, found.name, found.prefix) == (
        "https://s3.example.com",
        "papers",
        "a/b/",
    )
    assert (found.key, found.secret, found.region) == ("AK", "se/cret", "eu-central-1")
    assert found.addressing == "path"
    assert "cret" not in repr(found)
    assert parse_bucket("s3://s3.amazonaws.com/papers").addressing == "virtual"


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:hush@example.com",
        "s3:///papers",
        "gs://key:hush@example.com/papers",
        "s3://key:hush@example.com/papers?tls=off",
        "s3://key:hush@example.com/papers?tls=perhaps",
        "s3://key:hush@example.com/papers?colour=red",
        "s3://key:hush@example.com:port/papers",
    ],
)
def test_a_url_that_names_no_bucket_or_sends_secrets_openly_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL") as refused:
        parse_bucket(url)
    assert "hush" not in str(refused.value)


def test_a_process_that_was_forked_talks_through_connections_of_its_own(bucket, url):
    store(bucket)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        own = open_archive(url).client is not bucket.client
        os.write(write, b"1" if own else b"0")
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 1) == b"1"


def test_boto3_is_not_loaded_where_there_is_no_bucket(tmp_path):
    code = (
        "import sys, django; django.setup(); from documents.archive import archive; archive();"
        "print('boto3' in sys.modules)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "STORAGE_URL": ""}
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "False"


def test_keys_are_told_apart_into_their_parts():
    assert key_parts(f"documents/1/{DIGEST[:2]}/{DIGEST}.pdf") == ("documents/1", DIGEST, ".pdf")
    with pytest.raises(ValueError, match="not named by its content"):
        key_parts("documents/1/report.pdf")
