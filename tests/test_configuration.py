"""What a process reads from its environment: every variable of docs/configuration.md."""

import re
import runpy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection

from config import env
from tests.deploy import compose
from worker.embedded import EmbeddedBroker

ROOT = Path(__file__).resolve().parent.parent
_ROW = re.compile(r"^\| `(\w+)`", re.MULTILINE)
DOCUMENTED = _ROW.findall((ROOT / "docs" / "configuration.md").read_text(encoding="utf-8"))
# Without these the checkout's own var/ would be written to.
KEPT = {"PRESSROOM_VAR_DIR", "SECRET_KEY"}
PRODUCTION = {
    "PRESSROOM_MODE": "production",
    "ALLOWED_HOSTS": "billing.example.com",
    "PRESSROOM_SITE_URL": "https://billing.example.com",
    "DATABASE_URL": "postgres://pressroom:word@database.example/pressroom",
    "CELERY_BROKER_URL": "rediss://:word@broker.example:6379/0",
}


@pytest.fixture
def start(monkeypatch, tmp_path):
    """`start(NAME=value)`: the settings of a process that has these variables and no others."""

    def read(**given: str) -> dict[str, Any]:
        for name in DOCUMENTED:
            monkeypatch.delenv(name, raising=False)
        own = {"PRESSROOM_VAR_DIR": str(tmp_path / "var"), "SECRET_KEY": "Zq8-f3KxW0vLr7Tn" * 4}
        for name, value in {**own, **given}.items():
            monkeypatch.setenv(name, value)
        # Those of Celery are read once a process: by a copy, as if it were the first time.
        queues = runpy.run_path(str(ROOT / "config" / "queues.py"))
        return {**runpy.run_path(str(ROOT / "config" / "settings.py")), **_settings(queues)}

    return read


def _settings(found: dict[str, Any]) -> dict[str, Any]:
    """Without what is a new object each time: the formatters of logs."""
    return {name: it for name, it in found.items() if name.isupper() and name != "LOGGING"}


@pytest.mark.parametrize("needed", [{}, PRODUCTION], ids=["local", "production"])
def test_an_empty_variable_counts_as_not_set(start, needed):
    empty = {name: "" for name in DOCUMENTED if name not in {*needed, *KEPT}}
    assert len(empty) > 30
    unset, filled_in_by_nobody = _settings(start(**needed)), _settings(start(**empty, **needed))
    assert filled_in_by_nobody == unset


def test_an_empty_file_of_a_secret_counts_as_not_set(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text(" \n")
    monkeypatch.setenv("SENTRY_DSN_FILE", str(tmp_path / "secret"))
    assert env.text("SENTRY_DSN", "none") == "none"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRESSROOM_LOG_LEVEL", "hush"),
        ("DATABASE_URL", "hush"),
        ("DATABASE_URL", "oracle://user:hush@database.example/x"),
        ("DATABASE_URL", "postgres://user:hush@database.example:port/x"),
        ("DATABASE_URL", "postgres://user:hush@database.example?sslmode=require"),
        ("CELERY_BROKER_URL", "hush"),
        ("CELERY_BROKER_URL", "amqp://user:hush@broker.example"),
        ("CELERY_BROKER_URL", "redis://:hush@broker.example:port/0"),
        ("STORAGE_URL", "hush"),
        ("PRESSROOM_ARCHIVE_FALLBACK", "s3://hush"),
        ("PRESSROOM_ARCHIVE_FALLBACK", "s3://key:hush@s3.example.com/papers?tls=off"),
        ("SENTRY_DSN", "hush"),
        ("EMAIL_URL", "smtp+tls://user:hush@mail.example:port"),
    ],
)
def test_a_bad_value_stops_it_and_names_the_variable_not_its_secret(start, name, value):
    with pytest.raises(ImproperlyConfigured, match=f"^{name}") as refused:
        start(**{name: value})
    assert name == "PRESSROOM_LOG_LEVEL" or "hush" not in str(refused.value)


def test_a_secret_that_is_no_text_is_refused_by_name(monkeypatch, tmp_path):
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("SENTRY_DSN_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match="SENTRY_DSN_FILE"):
        env.text("SENTRY_DSN")


def test_good_values_are_taken(start, tmp_path):
    found = start(
        PRESSROOM_LOG_LEVEL="warning",
        DATABASE_URL="postgres://user:pass%2Bword@database.example:5432/books?sslmode=require",
        CELERY_BROKER_URL="rediss://:word@broker.example:6379/0",
        STORAGE_URL="s3://key:secret@s3.example.com/papers",
        PRESSROOM_ARCHIVE_FALLBACK=str(tmp_path),
    )
    assert found["DATABASES"]["default"]["PASSWORD"] == "pass+word"
    assert found["CELERY_BROKER_URL"].startswith("rediss:")


ODD = ["a+b", "a%41b", "a#b", "a?b", "a b", "a&b=c", "äöü"]


@pytest.mark.parametrize("name", ODD)
def test_the_embedded_database_lies_in_the_folder_that_is_named(start, tmp_path, name):
    found = start(PRESSROOM_VAR_DIR=str(tmp_path / name))
    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / name / "pressroom.sqlite3")


@pytest.mark.parametrize("name", ODD)
def test_the_embedded_broker_is_looked_for_where_it_listens(start, name):
    with TemporaryDirectory(prefix=name) as folder:  # pytest's own are too long for a socket
        found = start(PRESSROOM_VAR_DIR=folder)
        socket = found["EMBEDDED_BROKER_SOCKET"]
        assert socket.is_relative_to(folder)
        with (
            EmbeddedBroker(socket.parent, socket),
            Connection(found["CELERY_BROKER_URL"]) as broker,
        ):
            assert broker.default_channel.client.ping()


def test_whatever_compose_passes_is_a_variable_that_is_described():
    passed = compose.read({"SITE_HOST": "billing.test"})["x-pressroom"]["environment"]
    assert {name.removesuffix("_FILE") for name in passed} <= set(DOCUMENTED)
