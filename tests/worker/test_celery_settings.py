"""The Celery settings on which no work is lost or done twice, and the wiring of tasks to queues."""

import runpy
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from documents.models import BatchJob
from worker.broker import queue_names
from worker.celery import app
from worker.leasing import leased_models
from worker.processes import worker_processes

QUEUES = Path(__file__).resolve().parents[2] / "config" / "queues.py"


@pytest.fixture(scope="module", autouse=True)
def _tasks_are_loaded():
    app.loader.import_default_modules()


def test_each_kind_of_leased_work_has_a_task_of_its_own():
    names = [model.task_name for model in leased_models()]
    assert names
    assert len(names) == len(set(names))
    assert set(names) <= set(app.tasks)


def test_the_tasks_of_every_app_are_registered():
    ours = {
        f"{config.name}.tasks"
        for config in apps.get_app_configs()
        if (Path(config.path) / "tasks.py").exists()
    }
    assert "documents.tasks" in ours
    assert {task.__module__ for task in app.tasks.values()} >= ours


def test_each_queue_exists_and_some_worker_of_this_machine_reads_it():
    assert {"interactive", "batch", "mail", "recompute"} == set(queue_names())
    commands = [list(process.argv) for process in worker_processes()]
    read = [name for command in commands for name in command[command.index("-Q") + 1].split(",")]
    assert sorted(read) == sorted(queue_names())


def test_people_never_wait_behind_a_run():
    commands = [list(process.argv) for process in worker_processes()]
    queues = [command[command.index("-Q") + 1] for command in commands]
    assert "interactive" in queues


def test_work_without_a_queue_of_its_own_goes_where_a_worker_listens():
    assert app.conf.task_default_queue in queue_names()
    for model in leased_models():
        assert model._meta.get_field("queue").default in queue_names()


def test_a_misspelt_queue_fails_at_once():
    assert app.conf.task_create_missing_queues is False


def test_there_is_a_hard_time_limit_and_no_soft_one():
    assert app.conf.task_time_limit > 0
    assert app.conf.task_soft_time_limit is None
    for task in app.tasks.values():
        assert task.soft_time_limit is None, task.name


def test_no_task_can_run_twice_at_once_for_being_slow():
    visible_after = app.conf.broker_transport_options["visibility_timeout"]
    for task in app.tasks.values():
        assert visible_after >= 3 * (task.time_limit or app.conf.task_time_limit), task.name


@pytest.mark.parametrize(
    ("limit", "visible_after"), [("120", 4500), ("1200", 4500), ("7200", 21600)]
)
def test_a_longer_time_limit_takes_the_messages_with_it(monkeypatch, limit, visible_after):
    found = queues(monkeypatch, PRESSROOM_TASK_TIME_LIMIT=limit)
    assert found["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"] == visible_after


@pytest.mark.parametrize(
    ("lease", "limit"),
    [(None, None), ("3", "6"), ("3", "4"), ("30", "60"), (None, "40"), ("29", "30")],
    ids=["as it comes", "chaos", "tests", "browser", "chaos at the product's pace", "the closest"],
)
def test_a_lease_below_the_time_limit_is_taken(monkeypatch, lease, limit):
    found = queues(monkeypatch, PRESSROOM_LEASE_SECONDS=lease, PRESSROOM_TASK_TIME_LIMIT=limit)
    assert found["WORK_LEASE"].total_seconds() < found["CELERY_TASK_TIME_LIMIT"]


@pytest.mark.parametrize(("lease", "limit"), [("120", None), (None, "30"), ("60", "50")])
def test_a_lease_that_outlasts_the_time_limit_is_refused_by_name(monkeypatch, lease, limit):
    with pytest.raises(ImproperlyConfigured, match=r"PRESSROOM_LEASE_SECONDS.*_TASK_TIME_LIMIT"):
        queues(monkeypatch, PRESSROOM_LEASE_SECONDS=lease, PRESSROOM_TASK_TIME_LIMIT=limit)


def queues(monkeypatch, **changes):
    """What config/queues.py makes of such an environment; None: the variable is not set."""
    for name in ("PRESSROOM_LEASE_SECONDS", "PRESSROOM_TASK_TIME_LIMIT"):
        if changes.get(name) is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, changes[name])
    return runpy.run_path(str(QUEUES))


def test_a_step_of_a_run_may_take_longer_than_a_paper_and_nothing_else(settings):
    limits = {name: task.time_limit for name, task in app.tasks.items()}
    assert limits.pop(BatchJob.task_name) == settings.RUN_TIME_LIMIT > app.conf.task_time_limit
    assert set(limits.values()) == {app.conf.task_time_limit}


def test_what_is_said_of_work_that_took_too_long_names_the_limit_of_its_task():
    for model in leased_models():
        assert app.tasks[model.task_name].time_limit == model.time_limit(), model


def test_a_lease_is_shorter_than_the_time_limit(settings):
    """Else work that ran into the limit would look like work whose process was lost."""
    assert timedelta(seconds=app.conf.task_time_limit) > settings.WORK_LEASE


def test_a_message_is_acknowledged_after_the_work_also_when_a_child_died():
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True


def test_a_worker_holds_one_message_at_a_time():
    assert app.conf.worker_prefetch_multiplier == 1


def test_json_travels_and_nothing_else():
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == app.conf.result_serializer == "json"
    assert app.conf.result_accept_content in (None, ["json"])


def test_no_call_to_the_broker_waits_for_ever():
    options = app.conf.broker_transport_options
    assert 0 < options["socket_timeout"] <= 5
    assert 0 < options["socket_connect_timeout"] <= 5
    assert app.conf.task_publish_retry_policy["max_retries"] <= 1


def test_children_are_replaced_before_they_grow_too_large():
    assert app.conf.worker_max_tasks_per_child > 0
    assert app.conf.worker_max_memory_per_child > 0


def test_results_are_diagnostics_only():
    assert app.conf.task_ignore_result is True
    assert app.conf.task_store_errors_even_if_ignored is True


def test_no_task_retries_by_celerys_means():
    """A countdown in Redis is lost with Redis; the row's own next attempt is not."""
    for task in app.tasks.values():
        assert not getattr(task, "autoretry_for", ()), task.name
