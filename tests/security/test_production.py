"""Production does not start where it would not be safe, and says which variable is the reason."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.test_configuration import PRODUCTION

SETTINGS = Path(__file__).resolve().parents[2] / "config" / "settings.py"
SECRET = "Zq8-f3KxW0vLr7TnB2mYpE5sHcJ9uGdA1oR6iQ4wX_tNbVzC" * 2
GOOD = {**PRODUCTION, "SECRET_KEY": SECRET}


@pytest.fixture
def start(monkeypatch, tmp_path):
    """`start(NAME=value)`: the settings of a production with these differences."""

    def read(**changes: str) -> dict[str, Any]:
        monkeypatch.setenv("PRESSROOM_VAR_DIR", str(tmp_path))
        for name in ("DEBUG", "EMAIL_URL", "STORAGE_URL", "CSRF_TRUSTED_ORIGINS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**GOOD, **changes}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return read


def test_it_starts_with_what_it_needs_and_is_closed(start):
    found = start()
    assert found["SECURE_SSL_REDIRECT"]
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert found["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert "SECURE_PROXY_SSL_HEADER" not in found, "nobody said that a proxy sets it"
    assert found["ALLAUTH_TRUSTED_PROXY_COUNT"] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 80),
        ("SECRET_KEY", "django-insecure-" + SECRET),
        ("SECRET_KEY", "changeme-" + SECRET),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "billing.example.com,*.example.com"),
        ("ALLOWED_HOSTS", ".example.com"),
        ("PRESSROOM_SITE_URL", ""),
        ("PRESSROOM_SITE_URL", "http://billing.example.com"),
        ("PRESSROOM_SITE_URL", "https://elsewhere.example.com"),
        ("PRESSROOM_SSL_REDIRECT", "false"),
        ("PRESSROOM_HSTS_SECONDS", "0"),
        ("CSRF_TRUSTED_ORIGINS", "http://billing.example.com"),
        ("DATABASE_URL", "sqlite:///billing.sqlite3"),
        ("CELERY_BROKER_URL", ""),
        ("CELERY_BROKER_URL", "redis://broker.example:6379/0"),
        ("CELERY_BROKER_URL", "redis://user@broker.example:6379/0"),
        ("DEBUG", "true"),
    ],
)
def test_it_refuses_to_start(start, name, value):
    with pytest.raises(ImproperlyConfigured, match=name):
        start(**{name: value})


def test_a_broker_may_be_open_if_somebody_says_so_and_a_socket_is_guarded_by_its_mode(start):
    start(CELERY_BROKER_URL="redis://broker.example:6379/0", PRESSROOM_BROKER_OPEN="true")
    start(CELERY_BROKER_URL="redis+socket:///run/broker.sock")


def test_behind_a_proxy_it_is_the_proxy_that_redirects(start):
    found = start(PRESSROOM_SSL_REDIRECT="false", PRESSROOM_BEHIND_PROXY="true")
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_no_refusal_shows_the_secret(start):
    with pytest.raises(ImproperlyConfigured) as refusal:
        start(SECRET_KEY="hunter2")
    assert "hunter2" not in str(refusal.value)
