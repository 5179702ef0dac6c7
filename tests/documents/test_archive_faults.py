"""A sweep whose process is killed midway goes on from where it was; nothing is told twice."""

import os
import time

import pytest
from django.db import connection, transaction

from accounts.models import Role
from documents.models import ArchiveSweep, Document, Notification
from tests.documents.archived import lose, path_of, to_its_end, with_file
from tests.factories import member
from tests.processes import Running, environment, eventually
from worker.dispatching import sweep_leases
from worker.leasing import WorkState

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

# The command, in pieces of two files.
SWEEPING = """
import django
django.setup()
from django.core.management import call_command
from documents.services import sweeping
sweeping._FILES_A_PIECE = 2
call_command("sweep_archive", "--now")
"""


def hang_at(path):
    """In place of the file a pipe, at which who reads it waits for ever."""
    path.rename(path.with_suffix(".whole"))
    os.mkfifo(path)


def mend(path):
    path.with_suffix(".whole").rename(path)


def test_a_killed_sweep_is_taken_up_where_it_was(archive_dir, queues, tmp_path):
    owner = member(Role.OWNER)
    for number in range(5):
        with_file(b"%d" % number, company=owner.company)
    documents = list(Document.objects.order_by("pk"))
    lose(path_of(documents[0]))
    hang_at(path_of(documents[3]))
    running = Running(["-c", SWEEPING], tmp_path / "sweep.log", environment())
    try:
        eventually(lambda: ArchiveSweep.objects.filter(checked=2, state=WorkState.RUNNING).exists())
        time.sleep(0.3)  # it is at the third file or, for ever, at the fourth
    finally:
        running.kill()
        mend(path_of(documents[3]))
    sweep = ArchiveSweep.objects.get()
    first = Document.objects.get(pk=documents[0].pk)
    assert (sweep.checked, sweep.cursor, sweep.missing) == (2, documents[1].pk, 1)
    assert first.damage == "missing"
    eventually(lambda: sweep_leases(ArchiveSweep) == 1)
    sweep.refresh_from_db()
    done = to_its_end(sweep)
    assert (done.state, done.checked, done.missing, done.changed) == ("done", 5, 1, 0)
    assert Document.objects.get(pk=first.pk).checked_at == first.checked_at  # not looked at again
    assert Notification.objects.across_companies().count() == 1


def test_the_keys_of_a_folder_s_files_are_looked_up_by_index(archive_dir):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        keys = [f"documents/{number}" for number in range(500)]
        rows = Document.objects.exclude(storage_key="").filter(storage_key__in=keys)
        assert "document_file" in rows.values_list("storage_key").explain()
