"""A worker looks before it takes work, and does not start where work would be lost."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from redis import Redis

from documents import checks as document_checks
from tests.processes import eventually, private_broker, worker
from worker import broker, checks, pools, preflight
from worker.preflight import Problem

HERE = "config.settings"


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.fixture
def registered(monkeypatch):
    """No check but those that the test registers."""
    for kept in ("_checks", "_checks_of_the_broker", "_told"):
        monkeypatch.setattr(preflight, kept, [])
    return preflight.register_check


def texts(problems):
    return [problem.text for problem in problems]


# --- The worker itself ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_worker_refuses_a_broker_that_throws_messages_away(tmp_path, archive_dir):
    with private_broker() as private:
        Redis(unix_socket_path=str(private.socket_path)).config_set(
            "maxmemory-policy", "allkeys-lru"
        )
        env = {"CELERY_BROKER_URL": private.url, "DJANGO_SETTINGS_MODULE": HERE}
        with worker(tmp_path / "w.log", queues="batch", children=1, **env) as started:
            assert started.process.wait(30) == 1
    assert "This worker does not start: The broker may throw messages away" in started.output()
    assert "maxmemory-policy is allkeys-lru" in started.output()


@pytest.mark.django_db
def test_a_worker_that_waited_for_its_broker_looks_at_it_then(tmp_path, archive_dir):
    """It came up after the worker, and would throw messages away."""
    with private_broker() as private:
        socket = private.socket_path
        away = socket.rename(socket.with_name("away.sock"))
        client = Redis(unix_socket_path=str(away))
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
        env = {"CELERY_BROKER_URL": private.url, "DJANGO_SETTINGS_MODULE": HERE}
        with worker(tmp_path / "w.log", queues="batch", children=1, **env) as started:
            eventually(lambda: "The broker can't be reached yet" in started.output(), 60)
            assert started.is_alive()
            away.rename(socket)
            assert started.process.wait(60) == 1
    assert "ERROR" in started.output()
    assert "This worker does not start: The broker may throw messages away" in started.output()
    assert "The broker keeps no append-only file" in started.output()


@pytest.mark.django_db
@pytest.mark.parametrize(("pool", "named"), [("threads", "thread"), ("solo", "solo")])
def test_a_worker_without_processes_of_its_own_does_not_start(tmp_path, archive_dir, pool, named):
    with (
        private_broker() as private,
        worker(
            tmp_path / "w.log",
            queues="batch",
            children=1,
            more=("-P", pool),
            CELERY_BROKER_URL=private.url,
        ) as started,
    ):
        assert started.process.wait(30) == 1
    told = f"This worker does not start: Its pool is celery.concurrency.{named}:"
    assert told in started.output()


@pytest.mark.django_db
def test_a_worker_refuses_an_archive_that_cannot_be_written_to(tmp_path, settings):
    (tmp_path / "file").write_text("in the way")
    settings.ARCHIVE_DIR = tmp_path / "file" / "archive"
    with (
        private_broker() as private,
        worker(
            tmp_path / "w.log", queues="batch", children=1, CELERY_BROKER_URL=private.url
        ) as started,
    ):
        assert started.process.wait(30) == 1
    assert "This worker does not start: The archive" in started.output()
    assert str(settings.ARCHIVE_DIR) in started.output()


# --- What is registered and what is done with it -------------------------------------------------


def test_every_check_is_registered():
    assert {check.__name__ for check in preflight._checks} >= {
        "broker_keeps_messages",
        "clock_agrees_with_database",
        "archive_is_writable",
        "fonts_are_there",
    }


def test_a_problem_ends_the_process_and_all_are_told(registered, caplog):
    registered(lambda: [Problem("One is wrong."), Problem("Two may be.", fatal=False)])
    registered(lambda: [Problem("Three is wrong.")])
    with pytest.raises(SystemExit) as end:
        preflight.refuse_or_warn()
    assert end.value.code == "This worker does not start: One is wrong. Three is wrong."
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "ERROR"]


def test_of_the_broker_it_is_asked_again_and_only_what_is_new_is_told(registered, caplog):
    of_the_broker = [Problem("It is away.", fatal=False), Problem("It forgets.", fatal=False)]
    registered(lambda: [Problem("The disk is slow.", fatal=False)])
    registered(lambda: of_the_broker, of_the_broker=True)
    preflight.refuse_or_warn()
    of_the_broker[:] = [Problem("It forgets.", fatal=False), Problem("It throws away.")]
    caplog.clear()
    with pytest.raises(SystemExit):
        preflight.refuse_or_warn_of_the_broker()
    assert caplog.messages == ["It throws away."]


@pytest.mark.parametrize("pool", ["prefork", "processes", "celery.concurrency.prefork:TaskPool"])
def test_a_pool_of_processes_is_no_problem(pool):
    assert texts(pools.children_are_processes(pool)) == []


def test_a_warning_is_logged_and_no_more(registered, caplog):
    registered(lambda: [Problem("Two may be.", fatal=False)])
    preflight.refuse_or_warn()
    assert caplog.messages == ["Two may be."]


def test_what_was_registered_runs_before_the_fork_and_in_each_child(monkeypatch):
    calls = []
    monkeypatch.setattr(preflight, "_preloads", [])
    monkeypatch.setattr(preflight, "_warm_ups", [])
    preflight.register_preload(lambda: calls.append("preload"))
    preflight.register_warm_up(lambda: calls.append("warm"))
    preflight.preload()
    preflight.warm_up()
    assert calls == ["preload", "warm"]


def test_what_is_loaded_before_the_fork_is_left_alone_by_the_collector(monkeypatch):
    loaded = []
    monkeypatch.setattr(preflight, "_preloads", [lambda: loaded.append([])])
    preflight.preload()
    assert loaded
    assert gc.get_freeze_count() > 1000
    assert not any(one is loaded[0] for one in gc.get_objects())


def test_what_a_child_loads_for_itself_is_left_alone_as_well(monkeypatch):
    loaded = []
    monkeypatch.setattr(preflight, "_warm_ups", [lambda: loaded.append([])])
    preflight.warm_up()
    assert loaded
    assert not any(one is loaded[0] for one in gc.get_objects())


# --- The broker ----------------------------------------------------------------------------------


def test_a_broker_that_keeps_everything_is_no_problem():
    assert texts(checks.broker_keeps_messages()) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "allkeys-random"])
def test_a_broker_that_evicts_is_fatal(policy, monkeypatch):
    sections = {"memory": {"maxmemory_policy": policy}, "persistence": {"aof_enabled": 1}}
    monkeypatch.setattr(broker, "information", sections.get)
    [problem] = checks.broker_keeps_messages()
    assert problem.fatal
    assert policy in problem.text
    assert "noeviction" in problem.text


def test_a_broker_without_a_file_is_a_warning(monkeypatch):
    sections = {"memory": {"maxmemory_policy": "noeviction"}, "persistence": {"aof_enabled": 0}}
    monkeypatch.setattr(broker, "information", sections.get)
    [problem] = checks.broker_keeps_messages()
    assert not problem.fatal
    assert "appendonly yes" in problem.text


def test_a_broker_that_is_away_is_a_warning_since_the_worker_waits_for_it(broker_at):
    broker_at("redis://127.0.0.1:1/0")
    [problem] = checks.broker_keeps_messages()
    assert not problem.fatal
    assert "can't be reached yet" in problem.text


# --- The clock -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_this_machines_clock_agrees_with_its_database():
    assert texts(checks.clock_agrees_with_database()) == []


@pytest.mark.parametrize("off", [-60, 60])
def test_a_clock_that_is_off_is_fatal(off, monkeypatch):
    moment = datetime.now(UTC) + timedelta(seconds=off)
    monkeypatch.setattr(checks, "database_now", lambda: moment)
    [problem] = checks.clock_agrees_with_database()
    assert problem.fatal
    assert "differ by 60 s" in problem.text
    assert "at most 5 s" in problem.text


def test_a_clock_that_is_a_little_off_is_no_problem(monkeypatch):
    moment = datetime.now(UTC) + timedelta(seconds=3)
    monkeypatch.setattr(checks, "database_now", lambda: moment)
    assert texts(checks.clock_agrees_with_database()) == []


@pytest.mark.django_db
def test_a_database_that_is_being_restarted_is_waited_for(monkeypatch):
    answers = [OperationalError("starting up"), OperationalError("starting up")]

    def now() -> datetime:
        if answers:
            raise answers.pop()
        return datetime.now(UTC)

    monkeypatch.setattr(checks, "database_now", now)
    monkeypatch.setattr(checks, "_LOOK_AGAIN", 0.01)
    assert texts(checks.clock_agrees_with_database()) == []


@pytest.mark.django_db
def test_a_database_that_stays_away_is_fatal(monkeypatch):
    def now() -> datetime:
        raise OperationalError("connection refused")

    monkeypatch.setattr(checks, "database_now", now)
    monkeypatch.setattr(checks, "_PATIENCE", 0)
    [problem] = checks.clock_agrees_with_database()
    assert problem.fatal
    assert "connection refused" in problem.text


# --- Fonts and the archive -----------------------------------------------------------------------


def test_missing_fonts_are_fatal(monkeypatch):
    monkeypatch.setattr(document_checks, "font_problems", lambda: ["No font for Thai. Install it."])
    assert list(document_checks.fonts_are_there()) == [Problem("No font for Thai. Install it.")]


def test_this_machines_fonts_are_no_problem():
    assert texts(document_checks.fonts_are_there()) == []


def test_an_archive_that_can_be_written_to_is_no_problem(archive_dir):
    assert texts(document_checks.archive_is_writable()) == []


def test_an_archive_below_a_file_is_fatal(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.ARCHIVE_DIR = tmp_path / "file" / "archive"
    [problem] = document_checks.archive_is_writable()
    assert problem.fatal
    assert "PRESSROOM_ARCHIVE_DIR" in problem.text
