"""Watching from a terminal: what a run and an import say meanwhile, and how they end."""

import json
from datetime import date
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from billing.management import watching
from documents.models import Batch, BatchJob, BatchState, Document
from documents.services.batches import close_finished_batches, plan_batch
from documents.services.making import make_document
from tests.billing.factories import new_party, posted_invoice
from tests.billing.sales import DIRTY, write
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(company):
    """Two who get a statement, and one who doesn't."""
    for code in ("A1", "B2"):
        posted_invoice(new_party(company, code), "10", day=date(2026, 3, 10))
    new_party(company, "C3")


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(*steps)`: what workers do between one look at the run and the next."""

    def set_to(*steps):
        waiting = iter(steps)
        monkeypatch.setattr(watching, "time", SimpleNamespace(sleep=lambda _: next(waiting)()))

    return set_to


def wait(*arguments):
    """(exit code, what it said)."""
    company, month = "--company=northgate", "--period=2026-03"
    out, code = StringIO(), 0
    try:
        call_command("run_statements", company, month, "--wait", *arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        code = ended.code
    return code, out.getvalue()


def plan():
    assert work_on(BatchJob, BatchJob.objects.get(step="plan").pk, plan_batch) == "done"


def make():
    for paper in Document.objects.all():
        assert work_on(Document, paper.pk, make_document) == "done"


def fail():
    Document.objects.update(state="failed", failure="No letter.", finished_at=Now())


def nothing():
    pass


def test_a_run_says_at_the_end_what_it_came_to(books, meanwhile, archive_dir, settings):
    meanwhile(nothing, plan, make, close_finished_batches)
    code, said = wait()
    assert code == 0
    assert "2 ready (0 of them from before), 0 failed, 1 left out; " in said
    assert f"Look at it at {settings.SITE_URL}/documents/runs/" in said


def test_as_json_it_has_the_pace_too(books, meanwhile, archive_dir):
    meanwhile(plan, make, close_finished_batches)
    code, said = wait("--json")
    found = json.loads(said)
    assert (code, found["state"], found["cancelled_because"]) == (0, "done", "")
    assert (found["ready"], found["made"], found["failed"]) == (2, 2, 0)
    assert found["per_second"] > 0


def test_a_paper_that_failed_ends_it_with_1(books, meanwhile):
    meanwhile(plan, fail, close_finished_batches)
    code, said = wait()
    assert (code, "0 ready" in said, "2 failed" in said) == (1, True, True)


def test_a_run_that_could_not_be_planned_ends_it_with_1_and_the_reason(books, meanwhile):
    def break_the_plan():
        BatchJob.objects.update(state="failed", failure="The disk is full.")

    meanwhile(break_the_plan, close_finished_batches)
    code, said = wait()
    assert (code, "was cancelled. The disk is full." in said) == (1, True)


def test_ctrl_c_ends_the_watching_and_not_the_run(books, meanwhile):
    def ctrl_c():
        raise KeyboardInterrupt

    meanwhile(ctrl_c)
    code, said = wait()
    assert (code, "The run goes on. Look at it at" in said) == (130, True)
    assert Batch.objects.get().state == BatchState.PLANNING


@pytest.mark.parametrize("is_terminal", [True, False])
def test_an_import_shows_on_a_terminal_how_far_it_is(company, tmp_path, monkeypatch, is_terminal):
    screen = StringIO()
    screen.isatty = lambda: is_terminal
    monkeypatch.setattr("sys.stderr", screen)
    path = write(tmp_path / "sales.csv", DIRTY)
    call_command("import_sales", str(path), "--company=northgate", stdout=StringIO())
    shown = screen.getvalue()
    assert ("reading: 100%" in shown, "posting: 100%" in shown) == (is_terminal, is_terminal)
