"""What is restored in another place is what was backed up; a kill leaves nothing by halves."""

import json
import signal
from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command

from billing.models import NumberSequence
from tests.keep.places import made_backup, migrated_place, second_place, tables_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("archive_dir", "queues"),
]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory, django_db_setup, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        migrated_place(tmp_path_factory.mktemp("keep") / "migrated") as found,
    ):
        yield found


@pytest.fixture
def place(tmp_path, migrated):
    with second_place(tmp_path / "second", like=migrated) as found:
        yield found


def test_everything_is_there_again_and_sound(filled, folder, place):
    backup = made_backup(folder)
    done, said = place.manage("restore", str(folder))
    assert done == 0, said
    assert "stored files: sound" in said
    assert "counters: sound" in said
    assert "balances: sound" in said
    assert place.manage("backup", str(place.folder / "again"))[0] == 0
    [again] = (path.parent for path in (place.folder / "again").glob("*/manifest.json"))
    before, after = tables_in(backup), tables_in(again)
    assert before.keys() == after.keys()
    different = {name for name in before if before[name] != after[name]}
    assert different == set()
    assert (place.folder / "media" / "logos" / "ours.png").read_bytes() == b"\x89PNG ours"


def test_the_next_row_and_the_next_number_are_new_ones(filled, folder, place):
    made_backup(folder)
    assert place.manage("restore", str(folder))[0] == 0
    said = place.shell(
        "from billing.models import Party\n"
        "from tests.billing.factories import posted_invoice\n"
        "from auditlog.models import LogEntry\n"
        "print(posted_invoice(Party.objects.get(), '5').invoice_number)\n"
    )
    number = NumberSequence.objects.get(series="INV").next_number
    assert said.endswith(f"{number:05}")


# --- Killed --------------------------------------------------------------------------------------

STOPPING = """
import sys, time, django
django.setup()
from django.core.management import call_command
from documents.backups import {module}

def stop(*arguments, **options):
    print("here", flush=True)
    time.sleep(60)

{module}.{name} = stop
call_command(*sys.argv[1:])
"""


def killed_at(place, module, name, *arguments):
    process = place.start("-c", STOPPING.format(module=module, name=name), *arguments)
    try:
        for line in process.stdout:
            if line == "here\n":
                break
        else:
            pytest.fail("it came to its end")
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize(
    "name", ["write_manifest", pytest.param("_copy_files", marks=pytest.mark.slow)]
)
def test_a_backup_that_was_killed_is_none(filled, folder, place, name):
    other = place.folder / "backups"
    killed_at(place, "making", name, "backup", str(other))
    assert list(other.glob("*/manifest.json")) == []
    with pytest.raises(CommandError, match="no finished backup"):
        call_command("restore", str(other))


@pytest.mark.parametrize("name", ["reset_sequences", pytest.param("_load", marks=pytest.mark.slow)])
def test_a_restore_that_was_killed_leaves_nothing_half_loaded(filled, folder, place, name):
    made_backup(folder)
    killed_at(place, "restoring", name, "restore", str(folder))
    done, said = place.manage("restore", str(folder))
    assert done == 0, said


LAST = ["0007_claims_of_chunks_named", "0008_challans_billed_by", "0009_sent_forms"]


def made_older(backup):
    """As one that was made before the last migrations of the books."""
    path = backup / "manifest.json"
    manifest = json.loads(path.read_text())
    assert [manifest["migrations"]["billing"].pop() for _ in LAST] == LAST[::-1]
    tables = {table["name"]: table for table in manifest["tables"]}
    tables["billing_recomputationchunk"]["columns"].remove("claimed_by")
    manifest["tables"].remove(tables["billing_challan_billed_by"])
    path.write_text(json.dumps(manifest))


def test_an_older_backup_is_brought_to_the_present(filled, folder, place):
    made_older(made_backup(folder))
    done, said = place.manage("restore", str(folder))
    assert done == 0, said
    assert "Everything is sound." in said
    migrated_last = (
        "from django.db.migrations.recorder import MigrationRecorder\n"
        "print(MigrationRecorder.Migration.objects.latest('applied').name)\n"
    )
    assert place.shell(migrated_last).endswith(LAST[-1])


@pytest.mark.parametrize(
    "name", ["resume_work", pytest.param("call_command", marks=pytest.mark.slow)]
)
def test_a_restore_that_was_killed_while_it_migrated_is_begun_anew(filled, folder, place, name):
    """The rows of an older backup are in by then, at one state of the migrations or another."""
    made_older(made_backup(folder))
    killed_at(place, "restoring", name, "restore", str(folder))
    done, said = place.manage("restore", str(folder))
    assert (done, "The database is not empty" in said) == (1, True), said
    done, said = place.manage("restore", str(folder), "--replace", "--no-input")
    assert done == 0, said
    assert "Everything is sound." in said
