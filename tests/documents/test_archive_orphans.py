"""Files of nobody go after a while of grace; a file that somebody counts on never does."""

import hashlib
import logging
import os
from uuid import uuid4

import pytest

from documents.archive import archive
from documents.archive import local as module
from documents.models import BatchJob
from documents.services import orphans
from tests.documents.archived import age, path_of, swept, with_file
from tests.documents.papers import files_below
from tests.factories import BatchJobFactory, CompanyFactory, stored

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("archive_dir", "queues"),
]


def orphan(archive_dir, content=b"nobody's", hours=1000.0):
    path = archive_dir / stored(CompanyFactory.create(), content)
    age(path, hours)
    return path


def test_an_old_file_of_nobody_is_removed_and_counted(archive_dir):
    path, document = orphan(archive_dir), with_file(b"somebody's")
    age(path_of(document))
    sweep = swept()
    assert files_below(archive_dir) == [path_of(document)]
    assert (sweep.strays, sweep.orphans, sweep.orphan_bytes) == (1, 1, len(b"nobody's"))
    assert not path.exists()


def test_within_the_grace_it_stays(archive_dir, settings):
    path = orphan(archive_dir, hours=71)
    assert swept().orphans == 0
    assert path.exists()
    age(path, 73)
    assert swept().orphans == 1
    assert not path.exists()


def test_a_draft_of_a_killed_writer_goes_after_the_grace(archive_dir):
    young, old = archive_dir / "documents/1/.draft-young", archive_dir / "assets/1/.draft-old"
    for path in (young, old):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    age(old)
    sweep = swept()
    assert (sweep.strays, sweep.orphans, sweep.orphan_bytes) == (0, 1, 4)
    assert files_below(archive_dir) == [young]


def test_the_file_of_a_run_stays_while_its_job_names_it(archive_dir):
    made = archive().store(b"PK zip", folder=f"runs/{uuid4()}", suffix=".zip")
    job = BatchJobFactory.create(step=BatchJob.Step.ZIP, storage_key=made.key)
    age(archive_dir / made.key)
    assert swept().orphans == 0
    job.delete()
    assert swept().orphans == 1


def test_logos_and_what_is_not_known_to_be_ours_are_never_taken(archive_dir):
    company = CompanyFactory.create()
    logo = archive().store(b"\x89PNG", folder=f"assets/{company.pk}", suffix=".png")
    other = archive().store(b"exported", folder="exports", suffix=".csv")
    for kept in (logo, other):
        age(archive_dir / kept.key)
    assert swept().orphans == 0
    assert len(files_below(archive_dir)) == 2


def test_an_orphan_that_is_stored_again_is_young_again(archive_dir):
    """Its row is not committed yet: only the file's date says that somebody counts on it."""
    path = orphan(archive_dir, b"made again")
    company = path.relative_to(archive_dir).parts[1]
    archive().store(b"made again", folder=f"documents/{company}", suffix=".pdf")
    assert swept().orphans == 0
    assert path.exists()


def test_what_is_stored_between_the_look_and_the_removal_stays(archive_dir, monkeypatch):
    path = orphan(archive_dir, b"made again")
    folder = "/".join(path.relative_to(archive_dir).parts[:2])
    look, looks = orphans.keys_in_use, []

    def and_then_it_is_stored(keys):
        used = look(keys)
        looks.append(keys)
        if len(looks) == 2:  # first they are counted
            archive().store(b"made again", folder=folder, suffix=".pdf")
        return used

    monkeypatch.setattr(orphans, "keys_in_use", and_then_it_is_stored)
    sweep = swept()
    assert (sweep.strays, sweep.orphans) == (1, 0)
    assert path.read_bytes() == b"made again"
    assert files_below(archive_dir) == [path]


def test_what_is_removed_while_it_is_stored_again_is_written_anew(archive_dir, monkeypatch):
    path = orphan(archive_dir, b"made again")
    folder, key = "/".join(path.relative_to(archive_dir).parts[:2]), path.relative_to(archive_dir)
    touch = os.utime

    def removed_first(*arguments):
        assert archive().remove(str(key), untouched_since=path.stat().st_mtime + 1)
        touch(*arguments)

    monkeypatch.setattr(module.os, "utime", removed_first)
    archive().store(b"made again", folder=folder, suffix=".pdf")
    assert path.read_bytes() == b"made again"


def test_an_archive_of_another_database_is_not_emptied(archive_dir, monkeypatch, caplog):
    monkeypatch.setattr(orphans, "_ALWAYS_REMOVED", 3)
    for number in range(4):
        orphan(archive_dir, b"%d" % number)
    with caplog.at_level(logging.ERROR):
        sweep = swept()
    assert (sweep.state, sweep.strays, sweep.orphans) == ("done", 4, 0)
    assert len(files_below(archive_dir)) == 4
    assert "Is this the right database" in caplog.text


def test_it_walks_folder_by_folder_in_pieces(archive_dir, monkeypatch):
    monkeypatch.setattr(orphans.time, "monotonic", lambda: float("inf"))
    for number in range(5):
        orphan(archive_dir, b"%d" % number)
    kept = with_file(b"kept")
    age(path_of(kept))
    sweep = swept()
    assert (sweep.strays, sweep.orphans) == (5, 5)
    assert files_below(archive_dir) == [path_of(kept)]


def test_folders_come_in_order_and_from_where_it_stopped(archive_dir):
    for name in ["b/1", "a/2/x", "a/10", "a", "a-b/1"]:
        (archive_dir / name).mkdir(parents=True, exist_ok=True)
    every = list(archive().folders())
    assert every == ["a", "a/10", "a/2", "a/2/x", "a-b", "a-b/1", "b", "b/1"]
    for place, folder in enumerate(every):
        assert list(archive().folders(after=folder)) == every[place + 1 :]
    assert list(archive().folders(after="a/gone")) == ["a-b", "a-b/1", "b", "b/1"]


def test_links_are_no_files_of_ours(archive_dir, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"not ours")
    (archive_dir / "documents").mkdir(parents=True)
    (archive_dir / "documents" / "folder").symlink_to(tmp_path / "elsewhere")
    (archive_dir / "documents" / "link").symlink_to(tmp_path / "elsewhere" / "file")
    age(tmp_path / "elsewhere" / "file")
    assert swept().orphans == 0
    assert (tmp_path / "elsewhere" / "file").exists()


def test_an_archive_that_is_not_there_has_no_orphans():
    assert swept().state == "done"


def test_a_large_file_is_stored_from_its_parts(archive_dir):
    parts = [b"a" * 1000, b"b" * 1000]
    made = archive().store_chunks(iter(parts), folder="runs/1", suffix=".zip")
    assert made.sha256 == hashlib.sha256(b"".join(parts)).hexdigest()
    assert (made.size, archive().size(made.key)) == (2000, 2000)
    assert archive().read(made.key, made.sha256) == b"".join(parts)
    assert len(files_below(archive_dir)) == 1


def test_parts_that_come_to_no_end_leave_nothing(archive_dir):
    def parts():
        yield b"a"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        archive().store_chunks(parts(), folder="runs/1", suffix=".zip")
    assert files_below(archive_dir) == []
