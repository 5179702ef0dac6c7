"""Sessions that ran out leave nothing behind; those in use stay."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from accounts.services import clear_ended_sessions
from tests.factories import PASSWORD, member
from worker.celery import app

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return member(Role.CLERK).user


def signed_in(user) -> tuple[Client, str]:
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client, client.cookies["sessionid"].value


def age(key: str, *, hours: int) -> None:
    back = timedelta(hours=hours)
    UserSession.objects.filter(session_key=key).update(created_at=timezone.now() - back)


def expire(key: str) -> None:
    age(key, hours=13)
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(session_key=key).update(expire_date=past)


def test_a_session_that_ran_out_goes_with_its_device_and_address(user):
    _, old = signed_in(user)
    expire(old)
    assert clear_ended_sessions() == 1
    assert not Session.objects.filter(session_key=old).exists()
    assert not UserSession.objects.filter(session_key=old).exists()


def test_a_session_in_use_stays(user):
    client, key = signed_in(user)
    age(key, hours=11)
    assert clear_ended_sessions() == 0
    assert UserSession.objects.filter(session_key=key).exists()
    assert client.get(reverse("home"), follow=True).status_code == 200


def test_the_device_of_who_signed_out_goes_too(user):
    client, key = signed_in(user)
    client.post(reverse("account_logout"))
    assert UserSession.objects.filter(session_key=key).exists()
    age(key, hours=2)
    clear_ended_sessions()
    assert not UserSession.objects.filter(session_key=key).exists()


def test_a_device_on_file_before_its_session_is_left_alone(user):
    _, key = signed_in(user)
    Session.objects.filter(session_key=key).delete()
    clear_ended_sessions()
    assert UserSession.objects.filter(session_key=key).exists()


def test_a_second_run_finds_nothing(user):
    expire(signed_in(user)[1])
    assert [clear_ended_sessions(), clear_ended_sessions()] == [1, 0]


def test_beat_starts_it_by_itself():
    app.loader.import_default_modules()
    ticks = [it["task"] for it in app.conf.beat_schedule.values()]
    assert "accounts.clear_ended_sessions" in ticks
    assert "accounts.clear_ended_sessions" in app.tasks
