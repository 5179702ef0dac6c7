"""Throttled guesses, second factors, sessions that are ended elsewhere, passwords."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.audit import Action, history_of
from accounts.models import User
from tests.factories import PASSWORD, member

SIGN_IN = reverse("account_login")
HOME = reverse("documents:list")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_has_guessed_yet():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def user() -> User:
    return member().user


def sign_in(client: Client, user: User, password: str = PASSWORD, **headers: str):
    return client.post(SIGN_IN, {"login": user.email, "password": password}, headers=headers)


def is_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


# --- Guessing ------------------------------------------------------------------------------------


def test_after_five_guesses_not_even_the_right_password_lets_in(user):
    for _ in range(5):
        sign_in(Client(), user, "guess")
    client = Client()
    response = sign_in(client, user)
    assert "Too many failed login attempts" in response.content.decode()
    assert not is_in(client)


def test_a_colleague_is_not_locked_out_by_it(user):
    for _ in range(5):
        sign_in(Client(), user, "guess")
    other = Client()
    sign_in(other, member().user)
    assert is_in(other)


def test_an_address_that_is_made_up_does_not_reset_the_count(user):
    """Nobody stands in front of the server here, so X-Forwarded-For is hearsay."""
    answers = [
        sign_in(Client(), member().user, "guess", **{"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(11)
    ]
    assert "Too many failed login attempts" in answers[-1].content.decode()


def test_who_signed_in_stands_in_the_trail_and_a_failure_in_the_log(user, caplog):
    sign_in(Client(), user, "guess")
    assert not history_of(user).filter(action=Action.ACCESS).exists()
    assert "A sign-in failed." in caplog.text
    assert user.email not in caplog.text
    sign_in(Client(), user)
    [entry] = history_of(user).filter(action=Action.ACCESS)
    assert entry.actor == user


def test_an_unknown_address_gets_the_same_answer(user):
    known = sign_in(Client(), user, "guess").content.decode()
    unknown = sign_in(Client(), User(email="nobody@example.org"), "guess").content.decode()
    said = re.compile(r'role="alert">([^<]+)<')
    assert said.findall(known) == said.findall(unknown) != []


def test_nobody_signs_up():
    response = Client().post(
        reverse("account_signup"), {"email": "new@example.org", "password1": "a-long-password-1"}
    )
    assert "By invitation" in response.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


# --- The second factor ---------------------------------------------------------------------------


def code_of(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


@pytest.fixture
def with_totp(user):
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(user, secret)
    return user, secret


def test_the_password_alone_does_not_let_in(with_totp):
    user, secret = with_totp
    client = Client()
    response = sign_in(client, user)
    assert response["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert not is_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert is_in(client)


def test_a_code_is_good_once(with_totp):
    user, secret = with_totp
    code = code_of(secret)
    for expected in (True, False):
        client = Client()
        sign_in(client, user)
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert is_in(client) is expected


def test_its_secret_is_encrypted_in_the_database(with_totp):
    _, secret = with_totp
    assert secret not in str(Authenticator.objects.get().data)


def test_turning_it_on_asks_for_the_password_again(user):
    client = Client()
    sign_in(client, user)
    response = client.get(reverse("mfa_activate_totp"))
    assert response["Location"].startswith(reverse("account_reauthenticate"))


def test_the_admin_asks_for_it_too(with_totp):
    user, _ = with_totp
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    response = client.get("/admin/login/")
    assert response["Location"].startswith(SIGN_IN)
    sign_in(client, user)
    assert client.get("/admin/").status_code == 302


# --- Sessions and passwords ----------------------------------------------------------------------


def test_a_session_is_ended_from_another(user):
    office, lost = Client(), Client()
    sign_in(office, user)
    sign_in(lost, user)
    assert is_in(lost)
    page = office.get(reverse("usersessions_list")).content.decode()
    assert page.count("127.0.0.1") == 2
    office.post(reverse("usersessions_list"))
    assert not is_in(lost)
    assert is_in(office)


def test_a_changed_password_ends_the_other_sessions(user):
    office, lost = Client(), Client()
    sign_in(office, user)
    sign_in(lost, user)
    new = "quite another passphrase"
    office.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert is_in(office)
    assert not is_in(lost)


@pytest.mark.parametrize("weak", ["short", "password123", "1234567890"])
def test_a_weak_password_is_refused_beside_its_field(user, weak):
    client = Client()
    sign_in(client, user)
    response = client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": weak, "password2": weak},
    )
    assert 'class="field-error"' in response.content.decode()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_forgotten_password_is_replaced_by_a_link_that_is_good_once(user):
    Client().post(reverse("account_reset_password"), {"email": user.email})
    [link] = re.findall(
        r"https?://localhost:8000(/accounts/password/reset/\S+)", mail.outbox[0].body
    )
    for new in ("quite another passphrase", "a third one, not to be"):
        client = Client()
        form = client.get(link, follow=True).request["PATH_INFO"]
        client.post(form, {"password1": new, "password2": new})
    user.refresh_from_db()
    assert user.check_password("quite another passphrase")


def test_an_unknown_address_gets_no_hint(user):
    answer = Client().post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    assert answer["Location"] == reverse("account_reset_password_done")
