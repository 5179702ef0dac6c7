"""What a request says about itself is hearsay: hosts, addresses, where it leads next, and from
which page it was sent.
"""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from tests.factories import PASSWORD, member
from tests.security.rights import RIGHTS
from tests.security.test_every_address import url_of, writes
from tests.security.world import new_world, signed_in

pytestmark = pytest.mark.django_db

SIGN_IN = reverse("account_login")
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "///evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%0d%0aLocation:https://evil.example",
    "https://testserver@evil.example/",
    "\thttps://evil.example",
]


@pytest.fixture(autouse=True)
def nothing_was_counted_yet():
    cache.clear()
    yield
    cache.clear()


def somebody(role: Role = Role.VIEWER) -> User:
    return member(role).user


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_door_leads_to_another_site(target):
    user = somebody(Role.OWNER)
    answers = [
        Client().post(SIGN_IN, {"login": user.email, "password": PASSWORD, "next": target}),
        Client().post(f"{SIGN_IN}?next={target}", {"login": user.email, "password": PASSWORD}),
        signed_in(user).post(reverse("account_logout"), {"next": target}),
        signed_in(user).post(
            reverse("account_reauthenticate"), {"password": PASSWORD, "next": target}
        ),
        signed_in(user).post(reverse("documents:bulk"), {"action": "retry", "back": target}),
        signed_in(user).post(
            reverse("documents:deliveries_decide"), {"action": "again", "back": target}
        ),
        Client().post(reverse("documents:bulk"), {"action": "retry", "back": target}),
        Client(headers={"Referer": target}).post(reverse("billing:recompute")),
    ]
    for answer in answers:
        where = answer.get("Location", "/")
        assert re.match(r"/(?![/\\])", where), where
        assert "\r" not in where
        assert "\n" not in where


def test_a_made_up_host_is_not_answered(settings):
    settings.ALLOWED_HOSTS = ["billing.example.com"]
    for headers in ({"Host": "evil.example"}, {"Host": "billing.example.com@evil.example"}):
        answer = Client().post(
            reverse("account_reset_password"), {"email": member().user.email}, headers=headers
        )
        assert answer.status_code == 400
    assert not mail.outbox


def test_links_in_messages_lead_to_the_site_whatever_the_request_says(settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    settings.SITE_URL = "https://billing.example.com"
    headers = {"Host": "other.example", "X-Forwarded-Host": "evil.example"}
    user = member().user
    Client().post(reverse("account_reset_password"), {"email": user.email}, headers=headers)
    [message] = mail.outbox
    links = re.findall(r"https?://[^/\s]+", message.body)
    assert links == ["https://billing.example.com"]


def guesses(count: int, forwarded: str) -> str:
    """What the last of so many guesses is told, each from a made-up address."""
    users = [somebody() for _ in range(count)]
    for number, user in enumerate(users):
        answer = Client().post(
            SIGN_IN,
            {"login": user.email, "password": "guess"},
            headers={"X-Forwarded-For": forwarded.format(number)},
        )
    return str(answer.content.decode())


def test_behind_a_proxy_only_what_the_proxy_added_counts(settings):
    """The client made up all but the last part."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert "Too many failed" in guesses(11, "203.0.113.{}, 198.51.100.7")


def test_behind_a_proxy_two_addresses_are_two(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert "Too many failed" not in guesses(11, "198.51.100.{}")


def test_a_forwarded_protocol_is_believed_only_behind_a_proxy(settings):
    settings.SECURE_SSL_REDIRECT = True
    claim = {"X-Forwarded-Proto": "https"}
    assert Client().get(SIGN_IN, headers=claim).status_code == 301
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert Client().get(SIGN_IN, headers=claim).status_code == 200


def test_a_session_that_was_planted_is_worth_nothing():
    client, user = Client(), somebody()
    client.get(SIGN_IN)
    planted = client.session
    planted["mark"] = "planted"
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    client.post(SIGN_IN, {"login": user.email, "password": PASSWORD})
    assert client.get("/documents/").status_code == 200
    assert client.cookies["sessionid"].value != planted.session_key
    other = Client()
    other.cookies["sessionid"] = planted.session_key
    assert other.get("/documents/").status_code == 302


def test_no_form_of_another_site_is_taken(settings, tmp_path):
    """Of every address that takes a POST; without the token none does anything."""
    settings.ARCHIVE_DIR = tmp_path / "archive"
    world = new_world()
    for name, (_, post) in RIGHTS.items():
        if post == "-":
            continue
        who = "root" if post in ("root", "staff") else "owner"
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        client.cookies = world.clients[who].cookies.copy()
        with writes() as written:
            answer = client.post(url_of(name, world), {"file": "x"})
        assert answer.status_code == 403 or name == "home", (name, answer.status_code)
        assert not written, name
