"""Alive is not ready: what a web process leans on is asked for, and named when it is missing."""

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from tests.processes import private_broker


@pytest.mark.django_db
def test_with_everything_there_it_is_ready(archive_dir):
    response = Client().get("/ready")
    assert response.status_code == 200
    assert response.json() == dict.fromkeys(["database", "broker", "migrations", "archive"], "ok")


@pytest.mark.django_db
def test_a_broker_that_went_away_is_named(archive_dir, broker_at):
    with private_broker() as private:
        broker_at(private.url)
        assert Client().get("/ready").status_code == 200
        private.stop()
        response = Client().get("/ready")
        assert Client().get("/ready?without=broker").status_code == 200
    assert response.status_code == 503
    assert response.json()["broker"].startswith("The broker can't be reached")
    assert response.json()["database"] == "ok"


@pytest.mark.django_db
def test_an_archive_that_cannot_be_written_to_is_named(settings, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    settings.ARCHIVE_DIR = tmp_path / "file" / "archive"
    response = Client().get("/ready")
    assert response.status_code == 503
    assert response.json()["archive"] == "The archive can't be written to."


@pytest.mark.django_db
def test_a_migration_that_was_not_applied_is_named(archive_dir):
    MigrationRecorder(connection).migration_qs.filter(app="documents").latest("id").delete()
    response = Client().get("/ready")
    assert response.status_code == 503
    assert "have not been applied" in response.json()["migrations"]


def test_alive_asks_nobody():
    """No database is allowed here."""
    response = Client().get("/live")
    assert (response.status_code, response.content) == (200, b"live\n")
    assert "Set-Cookie" not in response.headers


@pytest.mark.django_db
def test_nothing_is_done_by_post():
    assert Client().post("/live").status_code == 405
    assert Client().post("/ready").status_code == 405
