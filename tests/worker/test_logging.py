"""Log lines: one id from the request to the worker, JSON that parses, and nobody's data."""

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from django.conf import settings as configured
from django.test import Client

from accounts.models import Role
from config.errors import scrub_event
from config.logs import logging_config, without_addresses
from documents.models import Document
from documents.services.requests import request_document
from documents.tasks import make_document
from tests.documents.papers import statement_paper
from tests.factories import MembershipFactory, UserFactory
from tests.processes import ROOT, dispatcher, eventually, private_broker, worker

NAME, MAIL = "Quillfeather Ropeworks", "ledger@quillfeather.example"


@contextmanager
def captured(form: str = "json"):
    """What the configured logging writes, as a list that fills when the block ends."""
    stream, lines = io.StringIO(), []
    config = logging_config(form=form, level="INFO", file=None)
    line = config["formatters"]["line"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        line["()"](foreign_pre_chain=line["foreign_pre_chain"], processors=line["processors"])
    )
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        lines += stream.getvalue().splitlines()


def parsed(lines: list[str]) -> list[dict]:
    return [json.loads(line) for line in lines]


@pytest.mark.django_db
def test_a_request_is_one_line_with_ids_and_without_its_query(client):
    membership = MembershipFactory.create(role=Role.OWNER)
    client.force_login(membership.user)
    with captured() as lines:
        response = client.get(f"/documents/?q={NAME}", headers={"X-Request-ID": "proxy-1234"})
    [line] = [found for found in parsed(lines) if found["event"] == "request"]
    assert response.headers["X-Request-ID"] == "proxy-1234"
    assert line["request_id"] == "proxy-1234"
    assert line["user_id"] == str(membership.user_id)
    assert line["company_id"] == str(membership.company_id)
    assert (line["method"], line["route"], line["status"]) == ("GET", "documents/", 200)
    assert NAME.split()[0] not in "".join(lines)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given", ["short", 'x"}\\n{"level": "error"', "a" * 65, "id with spaces", "", "é" * 10]
)
def test_an_id_that_is_no_sane_token_is_replaced(given):
    headers = {"X-Request-ID": given} if given else {}
    answered = Client().get("/live", headers=headers).headers["X-Request-ID"]
    assert answered != given
    assert len(answered) == 32


@pytest.mark.django_db
def test_what_a_request_bound_is_gone_with_it():
    Client().get("/accounts/sign-in/")
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.django_db
def test_a_signing_in_that_fails_leaves_no_address_in_the_log():
    with captured() as lines:
        Client().post("/accounts/sign-in/", {"login": MAIL, "password": "wrong password"})
    assert lines
    assert MAIL not in "".join(lines)


@pytest.mark.django_db
def test_the_work_is_named_in_the_lines_about_it(archive_dir):
    company = MembershipFactory.create().company
    document = request_document(company=company, paper=statement_paper(NAME), by=None)
    with captured() as lines:
        make_document(str(document.pk))
    [done] = [found for found in parsed(lines) if found["event"] == "done"]
    assert (done["work"], done["work_id"]) == ("document", str(document.pk))
    assert NAME not in "".join(lines)


def test_an_exception_is_told_with_its_place_and_without_a_databases_values():
    with captured() as lines:
        try:
            raise ValueError(f"Refused {MAIL}\nDETAIL:  Key (name)=({NAME}) already exists.")
        except ValueError:
            logging.getLogger("pressroom.test").exception("It broke")
    [line] = parsed(lines)
    assert "test_logging.py" in line["exception"]
    assert "ValueError: Refused [address]" in line["exception"]
    assert MAIL not in lines[0]
    assert NAME not in lines[0]


def test_text_is_for_people():
    with captured("text") as lines, structlog.contextvars.bound_contextvars(request_id="abc"):
        logging.getLogger("pressroom.test").warning("Mind the gap")
    assert "WARNING pressroom.test Mind the gap request_id=abc" in lines[0]


def test_addresses_are_taken_out():
    assert without_addresses(f"<{MAIL}> and a@b") == "<[address]> and a@b"


def test_sentry_is_told_what_broke_and_nothing_about_whom():
    event = {
        "request": {"method": "GET", "url": f"https://x/?q={NAME}", "cookies": {"sessionid": "s"}},
        "user": {"id": "1", "email": MAIL, "ip_address": "10.0.0.1"},
        "breadcrumbs": {"values": [{"message": NAME}]},
        "logentry": {"message": "Sent to %s", "params": [NAME]},
        "exception": {
            "values": [
                {
                    "value": f"No {MAIL}",
                    "stacktrace": {"frames": [{"function": "f", "vars": {"party": NAME}}]},
                }
            ]
        },
    }
    told = json.dumps(scrub_event(event, None))
    assert NAME not in told
    assert MAIL not in told
    assert "sessionid" not in told
    assert '"function": "f"' in told


@pytest.mark.parametrize(("dsn", "imported"), [("", "False"), ("https://k@127.0.0.1/1", "True")])
def test_sentry_is_imported_only_where_it_has_an_address(dsn, imported):
    code = "import sys, config.settings; print('sentry_sdk' in sys.modules)"
    env = {**os.environ, "SENTRY_DSN": dsn}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == imported


def test_in_development_the_same_goes_to_a_file_that_is_turned_over(tmp_path: Path):
    handler = logging_config(form="text", level="INFO", file=tmp_path / "logs" / "django.log")[
        "handlers"
    ]["file"]
    assert handler["class"].endswith("RotatingFileHandler")
    assert Path(configured.LOG_FILE).name == "django.log"


def test_the_word_none_switches_the_log_file_off(tmp_path):
    code = "from config import settings; print(list(settings.LOGGING['handlers']))"
    env = {**os.environ, "PRESSROOM_LOG_FILE": "none"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['console']"


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_one_id_goes_from_the_request_to_the_worker_and_no_name_with_it(
    tmp_path, archive_dir, broker_at
):
    user = UserFactory.create(name=NAME, email=MAIL)
    company = MembershipFactory.create(user=user, role=Role.OWNER).company
    with private_broker() as private:
        broker_at(private.url)
        env = {"CELERY_BROKER_URL": private.url, "PRESSROOM_LOG_FORMAT": "json"}
        with (
            worker(tmp_path / "w.log", queues="interactive", children=1, **env) as working,
            dispatcher(tmp_path / "d.log", **env) as dispatching,
            captured() as lines,
        ):
            with structlog.contextvars.bound_contextvars(request_id="req-4711-0815"):
                document = request_document(company=company, paper=statement_paper(NAME), by=user)
            ready = Document._base_manager.filter(pk=document.pk, state="ready")
            eventually(ready.exists, 40)
            eventually(lambda: '"done"' in working.output(), 10)
            told = working.output() + dispatching.output()
    done = [
        json.loads(line)
        for line in told.splitlines()
        if line.startswith("{") and str(document.pk) in line
    ]
    assert {line["event"] for line in done} >= {"task_started", "done"}
    assert {line.get("request_id") for line in done if line["event"] == "done"} == {"req-4711-0815"}
    assert str(document.pk) in "".join(lines)
    for secret in (NAME, MAIL, "Quillfeather"):
        assert secret not in told + "".join(lines)
