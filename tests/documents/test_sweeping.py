"""The sweep finds what is missing and what changed, marks it, tells it once, and sees it healed."""

import logging
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Role
from documents import tasks
from documents.management.commands import sweep_archive
from documents.models import ArchiveSweep, Document, DocumentState, Notification
from documents.services import sweeping
from documents.services.sweeping import recheck_damaged, start_due_sweep, start_sweep
from tests.documents import archived
from tests.documents.archived import HARMS, lose, path_of, swept, to_its_end, with_file
from tests.factories import CompanyFactory, DocumentFactory, member
from tests.worker.racing import at_once
from worker.leasing import WorkState
from worker.running import WorkFailed

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("archive_dir", "queues"),
]


def fresh(document):
    return Document.objects.get(pk=document.pk)


def test_whole_files_are_marked_as_checked():
    documents = [with_file(b"one"), with_file(b"two")]
    sweep = swept()
    assert (sweep.state, sweep.checked, sweep.missing, sweep.changed) == ("done", 2, 0, 0)
    for document in documents:
        assert fresh(document).checked_at >= sweep.created_at
        assert (fresh(document).damage, fresh(document).damaged_at) == ("", None)


def test_what_has_no_file_yet_is_not_looked_at():
    DocumentFactory.create()
    DocumentFactory.create(failed=True)
    assert swept().checked == 0


@pytest.mark.parametrize("harm", HARMS)
def test_damage_is_found_marked_and_told_to_operators(harm, caplog):
    whole, document = with_file(b"whole"), with_file(b"to be harmed")
    do, damage = HARMS[harm]
    do(path_of(document))
    with caplog.at_level(logging.ERROR):
        sweep = swept()
    assert (sweep.checked, sweep.missing + sweep.changed) == (2, 1)
    assert getattr(sweep, damage) == 1
    assert (fresh(document).damage, fresh(whole).damage) == (damage, "")
    assert fresh(document).damaged_at >= sweep.created_at
    [record] = [record for record in caplog.records if record.name == "pressroom.archive"]
    assert str(document.pk) in record.getMessage()
    assert record.levelno == logging.ERROR


def test_of_many_lost_files_some_are_named_in_the_log_and_the_rest_counted(caplog, monkeypatch):
    monkeypatch.setattr(sweeping, "_MOST_LOGGED", 2)
    for number in range(5):
        lose(path_of(with_file(b"%d" % number)))
    with caplog.at_level(logging.ERROR):
        assert swept().missing == 5
    said = [each.getMessage() for each in caplog.records if each.name == "pressroom.archive"]
    assert [line.startswith("The file of document") for line in said] == [True, True, False]
    assert said[2] == "3 more files are missing."


def test_a_file_that_is_brought_back_heals_the_mark(caplog):
    document = with_file(b"to come back")
    content = path_of(document).read_bytes()
    lose(path_of(document))
    swept()
    path_of(document).write_bytes(content)
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        sweep = swept()
    assert (sweep.missing, sweep.changed) == (0, 0)
    assert (fresh(document).damage, fresh(document).damaged_at) == ("", None)
    assert caplog.records == []


def test_owners_are_told_once_of_their_own_company_only():
    company = CompanyFactory.create()
    owner = member(Role.OWNER, company=company)
    member(Role.ACCOUNTANT, company=company)
    member(Role.OWNER)
    for number in range(3):
        lose(path_of(with_file(b"%d" % number, company=company)))
    swept()
    [told] = Notification.objects.across_companies()
    assert (told.user, told.company) == (owner.user, company)
    assert told.title.startswith("3 files")
    Notification.objects.across_companies().delete()
    swept()
    assert not Notification.objects.across_companies().exists()  # known by now
    lose(path_of(with_file(b"another", company=company)))
    swept()
    [told] = Notification.objects.across_companies()
    assert told.title.startswith("1 file is")


def test_what_is_lost_later_on_the_same_day_is_told_as_well():
    company = CompanyFactory.create()
    member(Role.OWNER, company=company)
    lose(path_of(with_file(b"one", company=company)))
    swept()
    for number in range(20):
        lose(path_of(with_file(b"%d" % number, company=company)))
    swept()
    swept()
    titles = Notification.objects.across_companies().values_list("title", flat=True)
    assert sorted(title[:4] for title in titles) == ["1 fi", "20 f"]


def test_a_sweep_that_failed_midway_does_not_keep_the_next_one_from_telling():
    owner = member(Role.OWNER)
    lose(path_of(with_file(company=owner.company)))
    sweep = start_sweep()
    assert piece(sweep)
    ArchiveSweep.objects.update(state=WorkState.FAILED, failure="The disk was away.")
    swept()
    assert Notification.objects.across_companies().filter(user=owner.user).count() == 1


def piece(sweep):
    return archived.work_on(ArchiveSweep, sweep.pk, archived.sweep_piece) == "done"


def test_a_worker_that_lost_its_lease_tells_nobody():
    owner = member(Role.OWNER)
    lose(path_of(with_file(company=owner.company)))
    sweep = start_sweep()
    assert piece(sweep)
    late = ArchiveSweep.claim(sweep.pk)
    ArchiveSweep.objects.update(token=None, state=WorkState.QUEUED)
    sweeping.sweep_piece(late)
    assert not Notification.objects.across_companies().exists()
    to_its_end(ArchiveSweep.objects.get())
    assert Notification.objects.across_companies().count() == 1


def test_it_goes_piece_by_piece_and_looks_at_each_file_once(monkeypatch):
    monkeypatch.setattr(sweeping, "_FILES_A_PIECE", 2)
    for number in range(5):
        with_file(b"%d" % number)
    looked_at = []
    damage_of = sweeping.damage_of
    monkeypatch.setattr(
        sweeping, "damage_of", lambda document: looked_at.append(document.pk) or damage_of(document)
    )
    sweep = start_sweep()
    assert piece(sweep)
    sweep.refresh_from_db()
    assert (sweep.checked, sweep.state, sweep.attempts) == (2, WorkState.QUEUED, 0)
    assert sweep.cursor == max(looked_at)
    assert to_its_end(sweep).checked == 5
    assert sorted(looked_at) == looked_at == sorted(set(looked_at))


def test_a_piece_ends_after_its_time_with_at_least_one_file_done(monkeypatch):
    monkeypatch.setattr(sweeping, "_SECONDS_A_PIECE", 0.0)
    for number in range(3):
        with_file(b"%d" % number)
    sweep = start_sweep()
    assert piece(sweep)
    sweep.refresh_from_db()
    assert sweep.checked == 1
    assert to_its_end(sweep).checked == 3


def test_a_worker_that_lost_its_lease_counts_nothing():
    with_file()
    sweep = start_sweep()
    ours = ArchiveSweep.claim(sweep.pk)
    ArchiveSweep.objects.update(token=None, state=WorkState.QUEUED)
    sweeping.sweep_piece(ours)
    sweep.refresh_from_db()
    assert (sweep.checked, sweep.cursor) == (0, None)


@pytest.mark.servers  # SQLite in memory knows no two connections
def test_two_that_are_started_at_once_are_one():
    sweeps = at_once(*[start_sweep] * 4)
    assert len({sweep.pk for sweep in sweeps}) == 1
    assert ArchiveSweep.objects.count() == 1
    to_its_end(sweeps[0])
    assert start_sweep().pk != sweeps[0].pk


def test_it_is_due_once_a_day_and_an_hour_after_a_failure():
    assert start_due_sweep()
    assert not start_due_sweep()  # it is under way
    ArchiveSweep.objects.update(created_at=timezone.now() - timedelta(days=3))
    assert not start_due_sweep()  # still
    swept()
    assert start_due_sweep()  # the last one began days ago
    swept()
    assert not start_due_sweep()
    failed = ArchiveSweep.objects.filter(created_at__gt=timezone.now() - timedelta(days=1))
    failed.update(state=WorkState.FAILED, failure="The disk was away.", finished_at=timezone.now())
    assert not start_due_sweep()
    failed.update(finished_at=timezone.now() - timedelta(minutes=61))
    assert start_due_sweep()
    assert tasks.start_archive_sweep() is False


def test_a_document_that_is_made_while_it_sweeps_does_no_harm(monkeypatch):
    monkeypatch.setattr(sweeping, "_FILES_A_PIECE", 1)
    with_file(b"first")
    sweep = start_sweep()
    assert piece(sweep)
    with_file(b"second")
    assert to_its_end(sweep).state == WorkState.DONE
    assert not Document.objects.exclude(damage="").exists()


def test_a_company_looks_at_its_damaged_files_again():
    ours, theirs = with_file(b"ours"), with_file(b"theirs")
    whole = {document: path_of(document).read_bytes() for document in (ours, theirs)}
    for document in whole:
        lose(path_of(document))
    swept()
    for document, content in whole.items():
        path_of(document).write_bytes(content)
    assert recheck_damaged(company=ours.company) == 1
    assert (fresh(ours).damage, fresh(theirs).damage) == ("", "missing")
    assert recheck_damaged(company=ours.company) == 0


def test_the_command_sweeps_to_the_end_and_says_what_it_found(capsys):
    with_file(b"whole")
    call_command("sweep_archive", "--now")
    assert "1 documents checked: 0 missing, 0 changed." in capsys.readouterr().out
    lose(path_of(with_file(b"lost")))
    with pytest.raises(CommandError, match="lost files"):
        call_command("sweep_archive", "--now")
    assert "2 documents checked: 1 missing, 0 changed." in capsys.readouterr().out


def test_the_command_waits_for_a_worker_that_is_at_a_piece(capsys, monkeypatch):
    with_file(b"whole")
    worker, waited = ArchiveSweep.claim(start_sweep().pk), []

    def goes_on(seconds):
        waited.append(seconds)
        sweeping.sweep_piece(worker)

    monkeypatch.setattr(sweep_archive.time, "sleep", goes_on)
    call_command("sweep_archive", "--now")
    assert len(waited) == 1
    assert "1 documents checked: 0 missing, 0 changed." in capsys.readouterr().out


def test_the_command_says_why_a_sweep_came_to_no_end(monkeypatch):
    def breaks(sweep):
        raise WorkFailed("The disk was away.")

    monkeypatch.setattr(sweep_archive, "sweep_piece", breaks)
    with pytest.raises(CommandError, match=r"came to no end: The disk was away\."):
        call_command("sweep_archive", "--now")


def test_the_command_leaves_it_to_the_workers_unless_told_otherwise(queues):
    document = with_file()
    call_command("sweep_archive")
    assert ArchiveSweep.objects.get().state == WorkState.QUEUED
    assert fresh(document).checked_at is None
    assert queues.llen("batch") == 1


def test_sweeping_does_not_change_when_a_document_was_made():
    document = with_file()
    before = fresh(document)
    swept()
    after = fresh(document)
    assert (after.finished_at, after.state) == (before.finished_at, DocumentState.READY)
