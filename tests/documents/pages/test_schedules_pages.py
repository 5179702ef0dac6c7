"""The page of schedules: next and last run, and whether anything is there to start them."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from documents.models import Batch, Schedule, ScheduledRun
from documents.services import schedules
from tests.documents.pages.conftest import signed_in
from tests.factories import DocumentFactory, member
from worker.celery import app
from worker.models import Presence
from worker.models import Role as ProcessRole
from worker.presence import Herald

LIST = reverse("documents:schedules")
ADD = reverse("documents:schedule_add")
TICKS = "interactive"
NO_BEAT = "no scheduler is running"
NO_WORKER = f"no worker listens to the queue <code>{TICKS}</code>"
TYPED = {"kind": "statement", "day": "3", "hour": "7", "send": "on", "is_enabled": "on"}


@pytest.fixture
def accountant(company):
    return signed_in(member(Role.ACCOUNTANT, company=company))


@pytest.fixture
def schedule(accountant):
    accountant.post(ADD, TYPED)
    return Schedule.objects.across_companies().get()


def body(response) -> str:
    return response.content.decode()


def test_one_is_added_and_shown_with_its_next_run(accountant, schedule):
    assert (schedule.day, schedule.hour, schedule.send) == (3, 7, True)
    page = body(accountant.get(LIST))
    assert "Statement run" in page
    assert "Day 3, 07:00" in page
    assert "not yet" in page


def test_its_last_run_leads_to_what_it_made(accountant, schedule, monkeypatch):
    later = schedules.database_now() + timedelta(days=40)
    monkeypatch.setattr(schedules, "database_now", lambda: later)
    schedules.start_due_schedules()
    assert ScheduledRun.objects.exists()
    batch = Batch.objects.across_companies().latest("period_start")
    assert batch.get_absolute_url() in body(accountant.get(LIST))


def test_an_error_stands_beside_its_field(accountant):
    page = body(accountant.post(ADD, {**TYPED, "day": "32"}))
    assert 'id="id_day_error"' in page
    assert not Schedule.objects.across_companies().exists()


def test_it_is_changed_turned_off_and_deleted(accountant, schedule):
    url = reverse("documents:schedule", args=[schedule.pk])
    accountant.post(url, {"kind": "statement", "day": "9", "hour": "7"})
    schedule.refresh_from_db()
    assert (schedule.day, schedule.is_enabled, schedule.send) == (9, False, False)
    assert ">off<" in body(accountant.get(LIST))
    accountant.post(reverse("documents:schedule_delete", args=[schedule.pk]))
    assert "None yet." in body(accountant.get(LIST))


def test_it_says_when_nothing_is_there_to_start_runs(accountant, schedule):
    Herald(ProcessRole.WORKER, (TICKS,)).say()
    assert NO_BEAT in body(accountant.get(LIST))
    Herald(ProcessRole.BEAT).say()
    assert "Nothing starts by itself right now" not in body(accountant.get(LIST))
    Presence.objects.filter(role=ProcessRole.BEAT).update(seen_at=Now() - timedelta(minutes=5))
    page = body(accountant.get(LIST))
    assert (NO_BEAT in page, NO_WORKER in page) == (True, False)


def test_it_says_when_no_worker_hears_what_is_due(accountant, schedule):
    """Beat is there, and a worker too, but of another queue than the one of the ticks."""
    Herald(ProcessRole.BEAT).say()
    Herald(ProcessRole.WORKER, ("batch", "mail")).say()
    page = body(accountant.get(LIST))
    assert (NO_BEAT in page, NO_WORKER in page) == (False, True)
    assert f"Operators: run <code>worker {TICKS}</code>" in page
    Herald(ProcessRole.WORKER, (TICKS,)).say()
    assert "Nothing starts by itself right now" not in body(accountant.get(LIST))
    Presence.objects.filter(role=ProcessRole.WORKER).update(seen_at=Now() - timedelta(minutes=5))
    assert NO_WORKER in body(accountant.get(LIST))


def test_without_a_schedule_nobody_is_missed(accountant):
    assert "Nothing starts by itself right now" not in body(accountant.get(LIST))


def test_the_ticks_of_beat_go_to_the_queue_that_is_looked_at():
    assert not any("queue" in tick["options"] for tick in app.conf.beat_schedule.values())
    assert app.conf.task_default_queue == TICKS
    assert not app.conf.task_routes


def test_a_kind_that_is_unknown_here_is_shown_as_such(accountant, schedule):
    Schedule.objects.across_companies().update(kind="of-tomorrow")
    response = accountant.get(LIST)
    assert response.status_code == 200
    assert "of-tomorrow" in body(response)
    assert "unknown here: it can't start" in body(response)
    form = accountant.get(reverse("documents:schedule", args=[schedule.pk]))
    assert form.status_code == 200


def test_another_companys_is_nowhere(stranger_client, schedule):
    for name in ("schedule", "schedule_delete"):
        assert (
            stranger_client.post(reverse(f"documents:{name}", args=[schedule.pk])).status_code
            == 404
        )
    assert "None yet." in body(stranger_client.get(LIST))


def test_a_clerk_may_not_and_the_anonymous_sign_in(company):
    clerk = signed_in(member(Role.CLERK, company=company))
    assert clerk.get(LIST).status_code == 403
    assert clerk.post(ADD, TYPED).status_code == 403
    assert Client().get(LIST).status_code == 302


def test_a_page_of_moving_work_names_the_queue_that_nobody_listens_to(client, company):
    document = DocumentFactory.create(company=company, queue="batch")
    url = reverse("documents:detail", args=[document.pk])
    assert "No worker listens" not in body(client.get(url))
    type(document)._base_manager.update(next_attempt_at=Now() - timedelta(minutes=1))
    assert "No worker listens to the queue <code>batch</code>" in body(client.get(url))
    Herald(ProcessRole.WORKER, ("batch",)).say()
    assert "No worker listens to the queue <code>batch</code>" not in body(client.get(url))
