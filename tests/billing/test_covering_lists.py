"""The covering list of a run: every row of it, and what became of it, in one paper."""

import time
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services.covering_lists import covering_list
from billing.snapshots import batch_lists
from documents.fingerprints import fingerprint
from documents.models import Batch, BatchItem, Document, DocumentState
from documents.papers import run_kind
from documents.rendering import render_paper
from documents.services.requests import request_document
from tests.documents.rendering.samples import pages_of, text_of
from tests.documents.rendering.sheets import covering_list as sample
from tests.factories import BatchFactory, BatchItemFactory, DocumentFactory

D = Decimal


@pytest.fixture
def batch(company) -> Batch:
    """Ready, failed, waiting and left out, one each."""
    made = BatchFactory.create(
        company=company,
        title="Statements March 2026",
        period_start=date(2026, 3, 1),
        period_end=date(2026, 3, 31),
    )
    ready = document(company, ready=True, amount=D("1234.500"), pages=3)
    failed = document(
        company, state=DocumentState.FAILED, amount=D("-8"), failure="It took too long."
    )
    waiting = document(company, amount=D("0.25"))
    for position, (code, paper) in enumerate({"A1": ready, "B2": failed, "C3": waiting}.items()):
        item(made, position, code, document=paper)
    item(made, 3, "D4", document=None, skipped_reason="zero balance")
    return made


def document(company, **facts) -> Document:
    return DocumentFactory.create(company=company, currency=company.currency, **facts)


def item(batch, position, code, **facts) -> BatchItem:
    return BatchItemFactory.create(
        company=batch.company, batch=batch, position=position, code=code, name=f"Mr {code}", **facts
    )


def printed(snapshot):
    return render_paper(template="pdf/batch_list.html", snapshot=snapshot, assets={})


@pytest.mark.django_db
class TestTheFacts:
    def test_each_row_of_the_run_is_on_it_with_what_became_of_it(self, batch):
        assert covering_list(batch).snapshot["rows"] == [
            ["A1", "Mr A1", "1234.50", "3", "ready", ""],
            ["B2", "Mr B2", "-8.00", "", "failed", "It took too long."],
            ["C3", "Mr C3", "0.25", "", "queued", ""],
            ["D4", "Mr D4", "", "", "left_out", "zero balance"],
        ]

    def test_the_totals_are_those_of_the_rows(self, batch):
        snapshot = covering_list(batch).snapshot
        assert snapshot["totals"] == {"papers": 3, "pages": 3, "amount": "1226.75"}
        assert snapshot["counts"] == {"failed": 1, "left_out": 1, "queued": 1, "ready": 1}
        assert snapshot["unlisted"] == 0

    def test_it_is_found_again_until_something_changes(self, batch):
        first = request_document(company=batch.company, paper=covering_list(batch), by=None)
        again = request_document(company=batch.company, paper=covering_list(batch), by=None)
        assert again.pk == first.pk
        Document.objects.filter(state=DocumentState.FAILED).update(
            state=DocumentState.QUEUED, failure=""
        )
        later = request_document(company=batch.company, paper=covering_list(batch), by=None)
        assert (later.version, later.supersedes_id) == (2, first.pk)

    def test_another_runs_rows_are_not_on_it(self, batch):
        other = BatchFactory.create(company=batch.company)
        item(other, 0, "Z9", document=None, skipped_reason="zero balance")
        assert "Z9" not in str(covering_list(batch).snapshot)
        assert fingerprint(covering_list(batch)) != fingerprint(covering_list(other))

    def test_the_rows_of_any_run_are_read_in_one_query(self, batch):
        for position in range(4, 40):
            item(batch, position, f"E{position}", document=None, skipped_reason="inactive")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(covering_list(batch).snapshot["rows"]) == 40
        assert len(queries) == 1

    def test_the_statement_run_has_one(self):
        assert run_kind("statement").cover is covering_list

    def test_of_very_many_rows_those_are_listed_that_are_not_ready(self, batch, monkeypatch):
        monkeypatch.setattr(batch_lists, "MOST_ROWS", 3)
        snapshot = covering_list(batch).snapshot
        assert [row[0] for row in snapshot["rows"]] == ["B2", "C3", "D4"]
        assert snapshot["unlisted"] == 1
        assert snapshot["totals"]["amount"] == "1226.75"
        assert "too many to be listed: 1" in text_of(printed(snapshot).content)


class TestThePaper:
    def test_it_says_who_how_much_and_why(self):
        said = text_of(printed(sample(60)).content)
        for words in (
            "Covering list",
            "Statements March 2026",
            "1 Mar 2026 – 31 Mar 2026",
            "Papers 54",
            "Ready 51",
            "Failed 3",
            "Left out 6",
            "2 C-17001 Harbour & Hill 0.25 2 ready",
            "5 C-17004 Harbour & Hill left out: zero balance",
            "8 C-17007 Harbour & Hill 9.00 failed: It took longer than 120 seconds.",
        ):
            assert words in said

    def test_it_is_german_for_a_german_company(self):
        said = text_of(printed({**sample(12), "locale": "de_DE"}).content)
        assert "Begleitliste" in said
        assert "ausgelassen: Saldo null" in said
        assert "fehlgeschlagen" in said

    def test_every_row_is_on_it_once_however_many_pages_it_takes(self):
        pages = pages_of(printed(sample(300)).content)
        assert len(pages) > 4
        said = " ".join(pages)
        assert all(said.count(f"C-{17000 + place}") == 1 for place in range(300))
        assert all("Account" in page for page in pages)

    def test_a_run_of_nobody_says_so(self):
        assert "Nobody is in this run" in text_of(printed(sample(0)).content)

    def test_ten_times_the_rows_take_about_ten_times_as_long(self):
        """Lines gathered in blocks: far below the time limit for 10,000 rows."""
        printed(sample(20))
        few, many = (seconds(count) for count in (60, 600))
        assert many < 14 * few
        assert many / 600 * 10_000 < 100


def seconds(count: int) -> float:
    snapshot = sample(count)
    started = time.process_time()
    printed(snapshot)
    return time.process_time() - started
