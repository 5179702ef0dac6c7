"""What is restored elsewhere is what was backed up, and is looked at before it is trusted."""

import json
import shutil
import threading
import time
from decimal import Decimal
from io import StringIO

import pyrage
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from billing.models import Balance, NumberSequence
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


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_file_that_the_backup_lost_is_named_and_the_rest_restored(
    filled, folder, archive_dir, how
):
    made_backup(folder)
    shutil.rmtree(archive_dir)
    for path in pool_files(folder):
        if path.read_bytes() == b"\x89PNG ours":
            continue
        path.unlink() if how == "missing" else path.write_bytes(b"X" + path.read_bytes()[1:])
    done, said = here(str(folder))
    assert done == 1
    assert ("is missing in the backup" if how == "missing" else "has changed in the backup") in said
    assert "stored files: 3 problems" in said
    assert Document.objects.count() == 3


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_table_that_the_backup_lost_stops_it_before_anything_is_changed(filled, folder, how):
    table = made_backup(folder) / "billing_invoice.gz"
    table.unlink() if how == "missing" else table.write_bytes(table.read_bytes()[:-9])
    done, said = here(str(folder))
    assert done == 1
    assert f"billing_invoice.gz of the backup is {how}" in said


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
