"""What every answer says to the browser."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import member
from tests.security.world import signed_in

pytestmark = pytest.mark.django_db

PAGES = ["/accounts/sign-in/", "/billing/", "/nowhere/", "/v/none", "/live", "/admin/login/"]


@pytest.fixture
def client() -> Client:
    return signed_in(member().user)


@pytest.mark.parametrize("url", PAGES)
def test_every_answer_is_closed_to_other_sites(client, url):
    for answer in (client.get(url), Client().get(url)):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in answer["Permissions-Policy"]
        assert "*" not in answer["Permissions-Policy"]


@pytest.mark.parametrize("url", PAGES)
def test_no_script_or_style_runs_that_is_not_ours(client, url):
    policy = client.get(url)["Content-Security-Policy"]
    assert "unsafe-" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "*" not in policy


def test_what_stands_on_a_page_is_not_kept_for_who_comes_after(client):
    for url in (reverse("billing:dashboard"), reverse("billing:party_list"), "/documents/"):
        assert "no-store" in client.get(url)["Cache-Control"]
    assert "no-store" in client.get("/nowhere/")["Cache-Control"]


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_methods_that_no_page_needs_are_refused_everywhere(client, method):
    for url in (*PAGES, "/admin/"):
        assert getattr(client, method)(url).status_code == 405


def test_cookies_are_for_this_site_and_not_for_scripts(client):
    answer = Client().get("/accounts/sign-in/")
    cookie = answer.cookies["csrftoken"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
