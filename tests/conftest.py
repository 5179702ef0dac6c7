"""What all tests share: a place for files, a broker without leftovers, and the `servers` mark."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import caches
from django.db import connection
from redis import Redis

from tests import nplusone
from worker import broker, nudging
from worker.celery import app


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if connection.vendor == "postgresql":
        return
    skip = pytest.mark.skip(reason="needs PostgreSQL")
    for item in items:
        if item.get_closest_marker("servers"):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: Python's collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite on a file: in memory all threads of the tests' web server share one connection, which
    a page's bell, polling beside other requests, brings to a halt.
    """
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(django_settings.VAR_DIR / "tests.sqlite3")


@pytest.fixture(autouse=True)
def _n_plus_one_raises(settings):
    nplusone.watch()
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, nplusone.MIDDLEWARE]
    settings.ZEAL_ALLOWLIST = nplusone.ALLOWED


@pytest.fixture(autouse=True)
def _static_files_are_not_collected_for_each_client(settings):
    """Each client of a test makes the middleware anew, which looks through all of them."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _passwords_are_hashed_quickly(monkeypatch):
    """By the same algorithm, so that started processes know them, in 1 ms instead of 200."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)


@pytest.fixture(autouse=True)
def _publishing_is_not_paused(monkeypatch):
    """One test's broken broker must not silence the next test's publishing."""
    monkeypatch.setattr(nudging, "_paused_until", 0.0)


@pytest.fixture(autouse=True)
def _no_costly_request_was_counted():
    """They are counted in this process's memory, which no transaction takes back."""
    caches["counts"].clear()


@pytest.fixture
def archive_dir(settings, tmp_path) -> Path:
    """An empty archive of this test's own."""
    settings.ARCHIVE_DIR = tmp_path / "archive"
    return settings.ARCHIVE_DIR


@pytest.fixture
def queues() -> Iterator[Redis]:
    """A client of the tests' broker, whose queues are empty before and after."""
    with app.connection_for_read() as connection_:
        client = connection_.default_channel.client
        client.delete(*broker.queue_names())
        yield client
        client.delete(*broker.queue_names())


@pytest.fixture
def broker_at(monkeypatch):
    """`broker_at(url)`: from now on this process publishes to that broker."""

    def switch(url: str) -> None:
        monkeypatch.setenv("CELERY_BROKER_URL", url)  # goes before Celery's settings
        monkeypatch.setattr(app, "_pool", None)
        monkeypatch.setattr(app.amqp, "_producer_pool", None)

    return switch
