"""The canary: made all the way through both queues, in nobody's lists, and cleared away."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.db.models.functions import Now

from accounts.models import Company
from documents import tasks
from documents.models import Canary, Document
from documents.selectors.canaries import canary_ages
from documents.services.canary import start_canaries
from tests.documents.papers import files_below
from tests.processes import dispatcher, eventually, private_broker, worker


@pytest.fixture
def sent(settings, archive_dir) -> None:
    settings.CANARY_SECONDS = 60


def fly() -> None:
    for canary in Canary.objects.filter(state="queued"):
        assert tasks.make_canary(str(canary.pk)) == "done"


@pytest.mark.django_db
def test_one_goes_through_each_queue_and_leaves_a_file_that_was_read_back(sent, archive_dir):
    assert start_canaries() == 2
    fly()
    assert set(Canary.objects.values_list("queue", "state")) == {
        ("interactive", "done"),
        ("batch", "done"),
    }
    assert len(files_below(archive_dir)) == 2
    assert all(age < timedelta(seconds=30) for age in canary_ages().values())


@pytest.mark.django_db
def test_it_belongs_to_no_company_and_is_no_document(sent):
    before = Company.objects.count()
    start_canaries()
    fly()
    assert Company.objects.count() == before
    assert Document._base_manager.count() == 0


@pytest.mark.django_db
def test_while_one_waits_no_other_is_sent(sent):
    assert [start_canaries(), start_canaries()] == [2, 0]
    assert Canary.objects.count() == 2


@pytest.mark.django_db
def test_its_age_grows_while_papers_are_not_made(sent):
    assert set(canary_ages().values()) == {None}
    start_canaries()
    fly()
    Canary.objects.update(finished_at=Now() - timedelta(minutes=9))
    start_canaries()
    assert all(age >= timedelta(minutes=9) for age in canary_ages().values())


@pytest.mark.django_db
def test_old_ones_go_with_their_files_and_the_last_that_came_back_stays(sent, archive_dir):
    for minutes in (40, 30, 20):
        start_canaries()
        fly()
        fresh = Canary.objects.filter(finished_at__gt=Now() - timedelta(minutes=5))
        fresh.update(finished_at=Now() - timedelta(minutes=minutes))
    start_canaries()
    done = Canary.objects.filter(state="done")
    assert sorted(done.values_list("queue", flat=True)) == ["batch", "interactive"]
    assert len(files_below(archive_dir)) == 2


@pytest.mark.django_db
def test_an_archive_that_keeps_nothing_lets_it_fail(sent, settings, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    settings.ARCHIVE_DIR = tmp_path / "file" / "archive"
    start_canaries()
    for canary in Canary.objects.all():
        assert tasks.make_canary(str(canary.pk)) == "failed"
    assert "archive" in Canary.objects.first().failure
    assert set(canary_ages().values()) == {None}


@pytest.mark.django_db
def test_an_old_one_that_failed_goes_too_though_it_left_no_file(sent, archive_dir):
    start_canaries()
    fly()
    old = Now() - timedelta(minutes=20)
    failed = Canary.objects.create(
        queue="batch", state="failed", failure="No room.", finished_at=old
    )
    start_canaries()
    assert not Canary.objects.filter(pk=failed.pk).exists()
    assert len(files_below(archive_dir)) == 2


@pytest.mark.django_db
def test_where_it_is_off_none_is_sent(settings):
    settings.CANARY_SECONDS = 0
    assert start_canaries() == 0
    assert "make canaries" not in configured.CELERY_BEAT_SCHEDULE


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_real_workers_make_it(tmp_path, sent):
    with private_broker() as private:
        env = {"CELERY_BROKER_URL": private.url}
        with (
            worker(tmp_path / "w.log", queues="interactive,batch", children=1, **env),
            dispatcher(tmp_path / "d.log", **env),
        ):
            start_canaries()
            eventually(lambda: Canary.objects.filter(state="done").count() == 2, 40)
