"""The archive moves while papers are made: at no moment is one of them unreadable."""

import threading

import pytest
from django.core.management import CommandError, call_command

from documents.archive import LocalArchive, archive, open_archive
from documents.management.commands import move_archive
from documents.models import Document
from documents.services.requests import request_document
from documents.tasks import make_document
from tests.documents.archived import flip_a_bit
from tests.documents.papers import files_below, statement_paper
from tests.factories import CompanyFactory, DocumentFactory, stored
from tests.s3 import new_bucket, s3_server

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("archive_dir", "queues"),
]


@pytest.fixture(scope="module")
def server():
    with s3_server() as found:
        yield found


@pytest.fixture
def bucket_url(server):
    return new_bucket(server)


def with_files(company, contents):
    return [stored(company, content) for content in contents]


def move(capsys, *arguments):
    code = 0
    try:
        call_command("move_archive", *arguments)
    except SystemExit as ended:
        code = ended.code
    out, err = capsys.readouterr()
    return code, out + err


def make_one(company):
    name = f"Party {Document.objects.count() + 1}"
    document = request_document(company=company, paper=statement_paper(name), by=None)
    assert make_document(str(document.pk)) == "done"
    return document.pk


def unreadable():
    return [
        document.pk
        for document in Document.objects.filter(state="ready")
        if not archive().read(document.storage_key, document.sha256)
    ]


def test_papers_are_made_and_read_at_every_step_of_the_move(
    settings, archive_dir, bucket_url, capsys
):
    company = CompanyFactory.create()
    for _ in range(3):
        make_one(company)
    code, said = move(capsys, "--to", bucket_url, "--verify")
    assert (code, "3 files copied" in said) == (0, True)
    make_one(company)  # after the copy, before the switch
    assert unreadable() == []

    former = str(archive_dir)
    settings.STORAGE_URL, settings.ARCHIVE_FALLBACK = bucket_url, former
    assert unreadable() == []
    late = make_one(company)
    document = Document.objects.get(pk=late)
    assert not (archive_dir / document.storage_key).exists()

    code, said = move(capsys, "--remove-old")
    assert code == 0
    assert "1 files copied" in said
    assert "4 removed" in said
    settings.ARCHIVE_FALLBACK = ""
    assert unreadable() == []
    assert files_below(archive_dir) == []


def test_it_copies_beside_a_process_that_stores(settings, archive_dir, tmp_path, capsys):
    company = CompanyFactory.create()
    with_files(company, [b"%d" % number for number in range(200)])
    over, later = threading.Event(), []

    def go_on_storing():
        while not over.is_set():
            later.append(stored(company, b"later %d" % len(later)))

    writer = threading.Thread(target=go_on_storing)
    writer.start()
    try:
        assert move(capsys, "--to", str(tmp_path / "new"))[0] == 0
    finally:
        over.set()
        writer.join()
    settings.ARCHIVE_DIR, settings.ARCHIVE_FALLBACK = tmp_path / "new", str(archive_dir)
    assert later
    assert all(archive().size(key) for key in later)
    assert move(capsys)[0] == 0
    settings.ARCHIVE_FALLBACK = ""
    assert all(archive().size(key) for key in later)


def test_from_a_bucket_back_to_a_disk(settings, bucket_url, tmp_path, capsys):
    settings.STORAGE_URL = bucket_url
    key = stored(CompanyFactory.create(), b"content")
    assert move(capsys, "--to", str(tmp_path / "back"))[0] == 0
    assert (tmp_path / "back" / key).read_bytes() == b"content"


def test_what_was_interrupted_is_gone_on_with(archive_dir, tmp_path, capsys, monkeypatch):
    keys = with_files(CompanyFactory.create(), [b"a", b"b", b"c"])
    store, calls = LocalArchive.store_chunks, []

    def broken(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return store(self, *arguments, **options)

    monkeypatch.setattr(LocalArchive, "store_chunks", broken)
    with pytest.raises(CommandError, match="can be gone on with"):
        call_command("move_archive", to=str(tmp_path / "new"))
    code, said = move(capsys, "--to", str(tmp_path / "new"))
    assert (code, "1 files copied" in said, "2 were there" in said) == (0, True, True)
    assert all((tmp_path / "new" / key).exists() for key in keys)


def test_a_damaged_file_is_named_and_nothing_is_removed(settings, archive_dir, tmp_path, capsys):
    bad, good = with_files(CompanyFactory.create(), [b"bad", b"good"])
    (archive_dir / bad).write_bytes(b"changed")
    settings.ARCHIVE_DIR, settings.ARCHIVE_FALLBACK = tmp_path / "new", str(archive_dir)
    code, said = move(capsys, "--remove-old")
    assert code == 1
    assert f"{bad} has changed" in said
    assert (archive_dir / good).exists()
    assert not (tmp_path / "new" / bad).exists()


def test_of_many_damaged_files_fifty_are_named(archive_dir, tmp_path, capsys):
    for key in with_files(CompanyFactory.create(), [b"%d" % number for number in range(52)]):
        (archive_dir / key).write_bytes(b"changed")
    code, said = move(capsys, "--to", str(tmp_path / "new"))
    assert (code, said.count(" has changed")) == (1, 50)
    assert "52 files are damaged or missing" in said


def test_what_is_not_named_by_its_content_is_left_and_said(archive_dir, tmp_path, capsys):
    (archive_dir / "documents").mkdir(parents=True)
    (archive_dir / "documents" / "notes.txt").write_text("mine")
    code, said = move(capsys, "--to", str(tmp_path / "new"))
    assert code == 1
    assert "documents/notes.txt is not named by its content" in said
    assert files_below(tmp_path / "new") == []


def test_a_file_that_changes_while_it_is_copied_is_no_copy(
    archive_dir, tmp_path, capsys, monkeypatch
):
    [key] = with_files(CompanyFactory.create(), [b"content"])
    opened = LocalArchive.open_checked

    def then_changed(self, asked, sha256):
        file = opened(self, asked, sha256)
        if self.root == archive_dir:
            (archive_dir / key).write_bytes(b"changed")
        return file

    monkeypatch.setattr(LocalArchive, "open_checked", then_changed)
    code, said = move(capsys, "--to", str(tmp_path / "new"))
    assert (code, f"{key} changed while it was copied" in said) == (1, True)
    assert not (tmp_path / "new" / key).exists()


def test_a_paper_that_is_damaged_in_the_new_place_has_nothing_removed(
    settings, archive_dir, tmp_path, capsys
):
    document = DocumentFactory.create(ready=True)
    move(capsys, "--to", str(tmp_path / "new"))
    flip_a_bit(tmp_path / "new" / document.storage_key)
    settings.ARCHIVE_DIR, settings.ARCHIVE_FALLBACK = tmp_path / "new", str(archive_dir)
    code, said = move(capsys, "--remove-old")
    assert (code, f"{document.storage_key} has changed" in said) == (1, True)
    assert (archive_dir / document.storage_key).exists()


def test_what_the_new_place_has_not_whole_is_not_removed_from_the_former(
    settings, archive_dir, tmp_path, capsys
):
    """No row names it, so that only the removal looks at its content."""
    [key] = with_files(CompanyFactory.create(), [b"content"])
    move(capsys, "--to", str(tmp_path / "new"))
    flip_a_bit(tmp_path / "new" / key)
    settings.ARCHIVE_DIR, settings.ARCHIVE_FALLBACK = tmp_path / "new", str(archive_dir)
    code, said = move(capsys, "--remove-old")
    assert (code, "0 removed" in said) == (0, True)
    assert (archive_dir / key).read_bytes() == b"content"


def test_what_somebody_else_removed_first_is_not_counted(
    settings, archive_dir, tmp_path, capsys, monkeypatch
):
    first, _ = with_files(CompanyFactory.create(), [b"one", b"two"])
    move(capsys, "--to", str(tmp_path / "new"))
    settings.ARCHIVE_DIR, settings.ARCHIVE_FALLBACK = tmp_path / "new", str(archive_dir)
    remove = LocalArchive.remove

    def removed_before(self, key, **options):
        if key == first:
            (archive_dir / key).unlink()
        return remove(self, key, **options)

    monkeypatch.setattr(LocalArchive, "remove", removed_before)
    assert "1 removed" in move(capsys, "--remove-old")[1]
    assert files_below(archive_dir) == []


def test_how_far_it_is_is_told_now_and_then(archive_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(move_archive, "_TELL_EVERY", 2)
    with_files(CompanyFactory.create(), [b"a", b"b", b"c"])
    said = move(capsys, "--to", str(tmp_path / "new"))[1]
    assert "2 files, 2 copied\n" in said
    assert "3 files, 3" not in said


def test_a_place_that_can_not_be_used_is_said_before_anything_is_copied(archive_dir, tmp_path):
    with_files(CompanyFactory.create(), [b"content"])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match="can't be written to"):
        call_command("move_archive", to=str(tmp_path / "file"))
    with pytest.raises(CommandError, match="expected s3"):
        call_command("move_archive", to="s3://example.com")


def test_what_is_wrong_in_the_new_place_is_found_by_verifying(archive_dir, tmp_path, capsys):
    [key] = with_files(CompanyFactory.create(), [b"content"])
    move(capsys, "--to", str(tmp_path / "new"))
    (tmp_path / "new" / key).write_bytes(b"tnetnoc")
    assert "1 were there" in move(capsys, "--to", str(tmp_path / "new"))[1]
    assert "1 files copied" in move(capsys, "--to", str(tmp_path / "new"), "--verify")[1]
    assert open_archive(str(tmp_path / "new")).size(key) == len(b"content")


def test_the_place_in_use_is_never_emptied(archive_dir, tmp_path):
    with pytest.raises(CommandError, match="after the switch"):
        call_command("move_archive", to=str(tmp_path / "new"), remove_old=True)
    with pytest.raises(CommandError, match="the place in use"):
        call_command("move_archive", to=str(archive_dir))
    with pytest.raises(CommandError, match="PRESSROOM_ARCHIVE_FALLBACK"):
        call_command("move_archive")
