"""A stored file is write-once: whole or not there, checked whenever it is read."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from documents.archive import Damaged, LocalArchive, in_chunks
from documents.archive import local as module
from documents.models import Document, DocumentState
from documents.services.requests import request_document
from documents.tasks import make_document
from tests.documents.papers import files_below, statement_paper
from tests.factories import CompanyFactory
from tests.processes import ROOT
from tests.worker.racing import at_once

CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()

# Stores a file and stops for ever at the step that is named.
STOPPING = """
import os, sys, time
from pathlib import Path
from documents.archive import local

def stop(*_):
    print("here", flush=True)
    time.sleep(60)

step, root, content = sys.argv[1], sys.argv[2], sys.stdin.buffer.read()
if step == "before the rename":
    local.publish = stop
if step == "in the sync":
    os.fsync = stop
if step == "after the rename":
    os.open, held = (lambda *a: stop() if a[1] == os.O_RDONLY else held(*a)), os.open
local.LocalArchive(Path(root)).store(content, folder="documents/1", suffix=".pdf")
"""


@pytest.fixture
def archive(tmp_path) -> LocalArchive:
    return LocalArchive(tmp_path / "archive")


def store(archive, content=CONTENT):
    return archive.store(content, folder="documents/1", suffix=".pdf")


def finals(archive):
    return [path for path in files_below(archive.root) if path.suffix == ".pdf"]


def test_what_is_stored_is_read_back_under_its_hash(archive):
    stored = store(archive)
    assert (stored.sha256, stored.size) == (DIGEST, len(CONTENT))
    assert stored.key == f"documents/1/{DIGEST[:2]}/{DIGEST}.pdf"
    assert archive.read(stored.key, stored.sha256) == CONTENT
    assert b"".join(in_chunks(archive.open_checked(stored.key, DIGEST))) == CONTENT
    assert files_below(archive.root) == finals(archive)  # no draft is left


def test_the_same_content_is_not_written_again(archive):
    path = archive.root / store(archive).key
    before = path.stat()
    assert store(archive).key == store(archive).key
    assert path.stat().st_ino == before.st_ino


def test_file_and_folder_are_synced_around_the_rename(archive, monkeypatch):
    steps = []
    sync, rename = os.fsync, module.Path.rename

    def noted_sync(handle):
        steps.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        sync(handle)

    def noted_rename(self, target):
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(module.Path, "rename", noted_rename)
    store(archive)
    assert steps == ["file", "rename", "folder"]


def kill_at(step, archive):
    with subprocess.Popen(
        [sys.executable, "-c", STOPPING, step, str(archive.root)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdin.write(CONTENT)
        process.stdin.close()
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("step", ["in the sync", "before the rename"])
def test_a_kill_before_the_rename_leaves_no_file_of_the_final_name(archive, step):
    kill_at(step, archive)
    assert finals(archive) == []
    assert len(files_below(archive.root)) == 1  # the draft
    assert archive.read(store(archive).key, DIGEST) == CONTENT


def test_a_kill_after_the_rename_leaves_the_whole_file(archive):
    kill_at("after the rename", archive)
    [path] = files_below(archive.root)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("how", ["a byte changed", "cut short", "emptied"])
def test_a_changed_file_is_found_when_it_is_read_and_mended_when_it_is_stored(archive, how):
    key = store(archive).key
    changed = {"a byte changed": b"X" + CONTENT[1:], "cut short": CONTENT[:-1], "emptied": b""}
    (archive.root / key).write_bytes(changed[how])
    with pytest.raises(Damaged, match="has changed"):
        archive.read(key, DIGEST)
    store(archive)
    assert archive.read(key, DIGEST) == CONTENT


def test_a_missing_file_is_told_as_missing(archive):
    key = store(archive).key
    (archive.root / key).unlink()
    with pytest.raises(Damaged, match="is missing"):
        archive.open_checked(key, DIGEST)


@pytest.mark.parametrize("key", ["../secret", "documents/../../secret", "/etc/passwd", "link"])
def test_a_key_that_points_out_of_the_archive_is_refused(archive, tmp_path, key):
    (tmp_path / "secret").write_bytes(CONTENT)
    archive.root.mkdir()
    (archive.root / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(Damaged, match="points out of the archive"):
        archive.read(key, DIGEST)


@pytest.mark.parametrize("folder", ["../elsewhere", "/tmp", "documents/../../elsewhere"])
def test_nothing_is_written_outside_the_archive(archive, tmp_path, folder):
    with pytest.raises(Damaged, match="points out of the archive"):
        archive.store(CONTENT, folder=folder, suffix=".pdf")
    assert files_below(tmp_path) == []


def test_a_neighbour_whose_name_begins_alike_is_outside(archive, tmp_path):
    (tmp_path / "archive2").mkdir()
    (tmp_path / "archive2" / "secret").write_bytes(CONTENT)
    with pytest.raises(Damaged, match="points out of the archive"):
        archive.read("../archive2/secret", DIGEST)


def test_many_writers_of_the_same_content_end_with_one_file(archive):
    results = at_once(*[lambda: store(archive)] * 16)
    assert {result.sha256 for result in results} == {DIGEST}
    [path] = files_below(archive.root)
    assert path.read_bytes() == CONTENT


@contextmanager
def tiny_disk(directory, kilobytes=16):
    """A file system with so much room; where none may be mounted, a limit on a file's size."""
    directory.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(directory)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    if mounted.returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", str(directory)], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing_half_written(archive):
    with tiny_disk(archive.root):
        with pytest.raises(OSError, match=r"No space left|too large"):
            store(archive)
        assert files_below(archive.root) == []
        small = store(archive, b"small")
        assert archive.read(small.key, small.sha256) == b"small"


def test_an_error_in_the_sync_leaves_nothing_half_written(archive, monkeypatch):
    def broken(handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        store(archive)
    assert files_below(archive.root) == []


@pytest.mark.django_db(transaction=True)
def test_a_document_waits_for_room_on_the_disk_and_is_made_then(archive_dir, queues):
    with tiny_disk(archive_dir, kilobytes=4):
        document = request_document(
            company=CompanyFactory.create(), paper=statement_paper(), by=None
        )
        assert make_document(str(document.pk)) == "failed"
        assert files_below(archive_dir) == []
    document.refresh_from_db()
    assert (document.state, document.attempts) == (DocumentState.QUEUED, 1)
    assert document.failure
    assert "Traceback" in document.failure_detail
    Document.objects.update(next_attempt_at=document.created_at)
    assert make_document(str(document.pk)) == "done"
    document.refresh_from_db()
    assert (document.state, document.failure) == (DocumentState.READY, "")


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").touch()
    assert not LocalArchive(tmp_path / "file" / "archive").is_writable()
    assert LocalArchive(tmp_path / "new" / "archive").is_writable()
    assert files_below(tmp_path) == [tmp_path / "file"]
