"""A task's result is for people: keeping it never ends a worker."""

import pytest
from django.db import InterfaceError, connection
from django_celery_results.backends.database import DatabaseBackend
from django_celery_results.models import TaskResult

from worker.celery import app
from worker.results import Results

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_what_the_workers_use():
    assert isinstance(app.backend, Results)


@pytest.mark.servers
def test_a_tick_that_came_too_late_is_kept_although_the_database_was_restarted():
    """As the parent process of a worker does: on a line that it opened before."""
    with connection.cursor() as cursor, pytest.raises(Exception, match=r"terminat|closed"):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    app.backend.mark_as_revoked("late", "expired", store_result=True)
    assert TaskResult.objects.get().status == "REVOKED"


def test_without_a_database_it_is_left_out(monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(DatabaseBackend, "_store_result", broken)
    app.backend.mark_as_revoked("late", "expired", store_result=True)
    assert "could not be kept" in caplog.text
