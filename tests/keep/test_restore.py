"""What is restored elsewhere is what was backed up, and is looked at before it is trusted."""

import hashlib
import json
import shutil
import threading
import time
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pyrage
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from billing.models import Balance, NumberSequence
from documents.archive import Damaged, Unavailable
from documents.backups import checking
from documents.backups.pool import Pool
from documents.backups.sealing import OPEN
from documents.backups.tables import empty_all
from documents.models import Delivery, Document, DocumentState
from tests.billing.factories import (
    posted_invoice,
    posted_payment,
)
from tests.factories import CompanyFactory, DocumentFactory
from tests.keep.places import made_backup
from worker.leasing import WorkState

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("archive_dir", "queues"),
]


def here(*arguments):
    """(exit code, what was said) of a restore in the place of what is here."""
    said = StringIO()
    try:
        call_command("restore", *arguments, "--replace", "--no-input", stdout=said, stderr=said)
    except SystemExit as ended:
        return ended.code, said.getvalue()
    except CommandError as error:
        return 1, said.getvalue() + str(error)
    return 0, said.getvalue()


def test_a_backup_beside_postings_is_of_one_moment(filled, folder):
    over = threading.Event()

    def go_on_posting():
        try:
            while not over.is_set():
                party = filled_party(filled)
                invoice = posted_invoice(party, "10", "20")
                posted_payment(party, "5", invoice=invoice)
        finally:
            connection.close()

    poster = threading.Thread(target=go_on_posting)
    poster.start()
    try:
        time.sleep(0.3)
        backup = made_backup(folder)
    finally:
        over.set()
        poster.join()
    done, said = here(str(folder))
    assert done == 0, said
    assert "balances: sound" in said
    assert "counters: sound" in said
    made = json.loads((backup / "manifest.json").read_text())
    rows = {table["name"]: table["rows"] for table in made["tables"]}
    assert rows["billing_invoice"] > 1


def filled_party(company):
    return Balance.objects.filter(company=company).first().party


def test_work_that_was_under_way_goes_on_and_no_e_mail_goes_twice(filled, folder):
    running = DocumentFactory.create(
        company=filled,
        state=DocumentState.RUNNING,
        attempts=2,
        token="00000000-0000-0000-0000-000000000001",
        lease_expires_at=timezone.now() + timezone.timedelta(hours=1),
        published_at=timezone.now(),
    )
    queued = DocumentFactory.create(company=filled, published_at=timezone.now())
    delivery = Delivery.objects.create(
        company=filled,
        document=DocumentFactory.create(company=filled, ready=True),
        recipient_id=running.pk,
        address="a@example.org",
        message_id="one@example.org",
        state=WorkState.RUNNING,
        attempts=1,
        handing_over_at=timezone.now(),
        lease_expires_at=timezone.now() + timezone.timedelta(hours=1),
    )
    made_backup(folder)
    done, said = here(str(folder))
    assert done == 0, said
    assert "waiting to be done: 2 documents" in said
    for row in (running, queued, delivery):
        row.refresh_from_db()
    assert (running.state, running.attempts, running.token) == ("queued", 1, None)
    assert running.published_at is queued.published_at is None
    assert delivery.state == "unknown"


def test_a_second_backup_copies_only_what_is_new(filled, folder, archive_dir, capsys):
    made_backup(folder)
    call_command("backup", str(folder))
    assert "0 are new" in capsys.readouterr().out
    new = DocumentFactory.create(company=CompanyFactory.create(), ready=True)
    path = archive_dir / new.storage_key
    new.sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    new.save(update_fields=["sha256"])
    path.write_bytes(b"test")
    call_command("backup", str(folder))
    assert "1 are new" in capsys.readouterr().out
    assert len(list(folder.glob("*/manifest.json"))) == 3


# --- Damage --------------------------------------------------------------------------------------


def pool_files(folder):
    return [path for path in folder.glob("files*/*/*") if path.is_file()]


def test_a_file_that_is_missing_in_the_archive_is_named_and_the_rest_is_kept(
    filled, folder, archive_dir, capsys
):
    lost = DocumentFactory.create(company=filled, ready=True, sha256="0" * 64)
    with pytest.raises(SystemExit) as ended:
        made_backup(folder)
    assert ended.value.code == 1
    assert f"{lost.storage_key} has changed" in capsys.readouterr().err
    done, said = here(str(folder))
    assert done == 1
    assert lost.storage_key in said


def lose_papers(folder, archive_dir, how):
    """In the archive, and in the backup, which keeps the logo."""
    shutil.rmtree(archive_dir)
    for path in pool_files(folder):
        if path.read_bytes() == b"\x89PNG ours":
            continue
        path.unlink() if how == "missing" else path.write_bytes(b"X" + path.read_bytes()[1:])


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_file_that_the_backup_lost_is_named_and_the_rest_restored(
    filled, folder, archive_dir, how
):
    made_backup(folder)
    lose_papers(folder, archive_dir, how)
    with transaction.atomic():
        empty_all()
    done, said = here(str(folder))
    assert done == 1
    assert ("is missing in the backup" if how == "missing" else "has changed in the backup") in said
    assert "stored files: 3 problems" in said
    assert Document.objects.count() == 3


def test_no_row_goes_for_rows_whose_files_are_nowhere(filled, folder, archive_dir):
    made_backup(folder)
    lose_papers(folder, archive_dir, "missing")
    Balance.objects.all().delete()
    done, said = here(str(folder))
    assert done == 1
    assert "3 files are neither in the backup nor in the archive" in said
    assert all(paper.storage_key in said for paper in Document.objects.all())
    assert not Balance.objects.exists()


def test_a_logo_that_is_nowhere_is_such_a_file_too(filled, folder, tmp_path):
    made_backup(folder)
    [logo] = [path for path in pool_files(folder) if path.read_bytes() == b"\x89PNG ours"]
    logo.unlink()
    done, said = here(str(folder))
    assert done == 0, said
    (tmp_path / "media" / "logos" / "ours.png").write_bytes(b"another")
    done, said = here(str(folder))
    assert (done, "nothing was changed: logos/ours.png." in said) == (1, True), said


def test_what_only_the_archive_has_is_enough(filled, folder):
    made_backup(folder)
    for path in pool_files(folder):
        path.unlink()
    done, said = here(str(folder))
    assert done == 0, said


def test_what_fails_once_the_rows_are_in_is_not_said_to_have_loaded_nothing(
    filled, folder, monkeypatch
):
    def gone():
        raise Unavailable("the bucket is away")

    made_backup(folder)
    Balance.objects.all().delete()
    monkeypatch.setitem(checking._checks, "stored files", gone)
    done, said = here(str(folder))
    assert done == 1
    assert "The rows are in, but not everything was looked at: the bucket is away" in said
    assert Balance.objects.count() == 1


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_table_that_the_backup_lost_stops_it_before_anything_is_changed(filled, folder, how):
    table = made_backup(folder) / "billing_invoice.gz"
    table.unlink() if how == "missing" else table.write_bytes(table.read_bytes()[:-9])
    done, said = here(str(folder))
    assert done == 1
    assert f"billing_invoice.gz of the backup is {how}" in said


def changed_manifest(backup, **facts):
    path = backup / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"format": 2}, "is of another format: 2"),
        ({"tables": 5}, "can't be read"),
        ({"vendor": "oracle"}, "The backup is of oracle, this database is"),
        ({"migrations": {"billing": ["9999_next"]}}, "of a newer version: billing.9999_next"),
    ],
)
def test_a_backup_that_does_not_fit_stops_it_before_anything_is_changed(
    filled, folder, facts, said
):
    changed_manifest(made_backup(folder), **facts)
    Balance.objects.all().delete()
    done, told = here(str(folder))
    assert (done, said in told) == (1, True), told
    assert not Balance.objects.exists()


def test_a_table_of_fewer_rows_than_it_had_leaves_all_as_it_was(filled, folder):
    backup = made_backup(folder)
    tables = json.loads((backup / "manifest.json").read_text())["tables"]
    [books] = [table for table in tables if table["name"] == "billing_balance"]
    books["rows"] += 1
    changed_manifest(backup, tables=tables)
    Balance.objects.all().delete()
    done, told = here(str(folder))
    assert (done, "billing_balance has 1 rows instead of 2" in told) == (1, True), told
    assert not Balance.objects.exists()


def test_a_backup_that_was_not_finished_is_none(filled, folder):
    backup = made_backup(folder)
    (backup / "manifest.json").unlink()
    done, told = here(str(folder), "--backup", backup.name)
    assert (done, "was never finished" in told) == (1, True), told


def test_backups_one_folder_deeper_are_told_of(filled, folder):
    for month in ("2026-10", "2026-11"):
        made_backup(folder / month)
    (folder / "2026-12" / "20261201T031500000000Z").mkdir(parents=True)
    done, said = here(str(folder))
    assert done == 1
    assert f"There are some in {folder / '2026-10'}, {folder / '2026-11'}: name one" in said
    done, said = here(str(folder / "2026-11"))
    assert done == 0, said


def test_a_file_that_changes_while_it_is_copied_is_not_kept(tmp_path):
    pool = Pool(tmp_path, OPEN)
    with pytest.raises(Damaged, match="has changed"):
        pool.put(hashlib.sha256(b"before").hexdigest(), [b"after"])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_e_mails_that_wait_are_to_be_looked_at_first(filled, folder):
    Delivery.objects.create(
        company=filled,
        document=DocumentFactory.create(company=filled, ready=True),
        recipient_id=uuid4(),
        address="a@example.org",
        message_id="one@example.org",
    )
    made_backup(folder)
    done, told = here(str(folder))
    assert (done, "waiting to be done: 1 deliveries" in told) == (0, True), told
    assert "look at them before the dispatcher starts" in told


def test_drift_and_a_counter_that_is_behind_are_told_and_not_mended(filled, folder):
    Balance.objects.update(paid=99, current=Decimal("6.1"))
    NumberSequence.objects.filter(series="INV").update(next_number=1)
    made_backup(folder)
    done, said = here(str(folder))
    assert done == 1
    assert "counters: northgate: the counter of invoices 2026 stands at 1, but 1 is" in said
    assert "paid is 99.00, its documents come to 7.10" in said
    assert Balance.objects.get().paid == 99


def test_it_goes_into_an_empty_database_only_unless_it_may_replace(filled, folder, monkeypatch):
    made_backup(folder)
    Balance.objects.all().delete()
    with pytest.raises(CommandError, match="The database is not empty"):
        call_command("restore", str(folder))
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match="--no-input"):
        call_command("restore", str(folder), replace=True)
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", str(folder), replace=True)
    assert not Balance.objects.exists()
    monkeypatch.setattr("builtins.input", lambda question: "replace")
    call_command("restore", str(folder), replace=True)
    assert Balance.objects.count() == 1


# --- Sealed --------------------------------------------------------------------------------------


def test_with_a_passphrase_nothing_can_be_read_without_it(filled, folder, tmp_path):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("correct horse battery staple\n")
    wrong.write_text("another")
    made_backup(folder, "--passphrase-file", str(right))
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"stand-in for a paper" not in stored
    assert b"PNG ours" not in stored
    assert "give --identity FILE or" in here(str(folder))[1]
    done, said = here(str(folder), "--passphrase-file", str(wrong))
    assert (done, "This is not the passphrase" in said) == (1, True)
    done, said = here(str(folder), "--passphrase-file", str(right))
    assert done == 0, said


def test_an_empty_passphrase_is_none(filled, folder, tmp_path):
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(CommandError, match="is empty"):
        made_backup(folder, "--passphrase-file", str(tmp_path / "empty"))
    assert not folder.exists()


def test_a_passphrase_that_is_no_text_is_told(filled, folder, tmp_path):
    (tmp_path / "latin").write_bytes("käse".encode("latin-1"))
    with pytest.raises(CommandError, match=r"latin is no text in UTF-8"):
        made_backup(folder, "--passphrase-file", str(tmp_path / "latin"))
    assert not folder.exists()


def test_without_the_key_that_lies_beside_it_the_passphrase_opens_nothing(filled, folder, tmp_path):
    (tmp_path / "right").write_text("correct horse battery staple\n")
    made_backup(folder, "--passphrase-file", str(tmp_path / "right"))
    (folder / "key.age").unlink()
    done, told = here(str(folder), "--passphrase-file", str(tmp_path / "right"))
    assert (done, "key.age is missing" in told) == (1, True), told
    assert not (folder / "key.age").exists()


def test_what_is_not_an_identity_is_told(filled, folder, tmp_path):
    ours = pyrage.x25519.Identity.generate()
    made_backup(folder, "--encrypt-to", str(ours.to_public()))
    (tmp_path / "public").write_text(f"{ours.to_public()}\n")
    done, told = here(str(folder), "--identity", str(tmp_path / "public"))
    assert (done, "This is no age identity" in told) == (1, True), told


def test_to_a_recipient_whose_key_is_not_here(filled, folder, tmp_path):
    ours, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    for name, identity in (("ours", ours), ("other", other)):
        (tmp_path / name).write_text(f"# made for a test\n{identity}\n")
    made_backup(folder, "--encrypt-to", str(ours.to_public()))
    done, said = here(str(folder), "--identity", str(tmp_path / "other"))
    assert (done, "does not open the backup" in said) == (1, True)
    done, said = here(str(folder), "--identity", str(tmp_path / "ours"))
    assert done == 0, said
    with pytest.raises(CommandError, match="no age recipient"):
        made_backup(folder, "--encrypt-to", "somebody")
