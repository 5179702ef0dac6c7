"""A run of statements: from the books, through the plan, to papers and back again."""

import csv
import json
import threading
import time
from datetime import date
from decimal import Decimal
from io import StringIO
from itertools import islice

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from billing.dates import Period
from billing.models import Party
from billing.services import start_statement_run, statement_runs
from documents.models import Batch, BatchItem, BatchJob, BatchState, Document
from documents.services import batches
from documents.services.batches import plan_batch
from documents.services.making import make_document
from tests.billing.factories import new_party, posted_invoice, posted_payment
from tests.documents.rendering.samples import text_of
from tests.factories import CompanyFactory
from worker.running import work_on

D = Decimal
MARCH = Period.month("2026-03")


@pytest.fixture
def books(company):
    """Two who get a statement, one of them without an e-mail address, and two who don't."""
    buyer = new_party(company, "A1", name="Harbour & Hill")
    posted_payment(buyer, "40", date(2026, 3, 20), posted_invoice(buyer, "100.50"))
    posted_invoice(new_party(company, "B2", name="Βιβλία", email=""), "7", day=date(2026, 2, 1))
    new_party(company, "C3", name="Silent")
    posted_invoice(new_party(company, "D4", name="Closed"), "5")
    Party.objects.filter(code="D4").update(is_active=False)
    return company


def plan(batch):
    """What a worker does with the run's job; its outcome."""
    return work_on(BatchJob, BatchJob.objects.get(batch=batch).pk, plan_batch)


def run(company, period=MARCH):
    batch = start_statement_run(company=company, period=period, by=None)
    assert plan(batch) == "done"
    batch.refresh_from_db()
    return batch


def items(batch):
    """(code, reason, document) of each of the run's rows, in order."""
    rows = batch.items.order_by("position").select_related("document")
    return [(row.code, row.skipped_reason, row.document) for row in rows]


@pytest.mark.django_db
class TestTheRun:
    def test_every_party_has_a_row_with_its_paper_or_the_reason(self, books):
        batch = run(books)
        assert [(code, reason, bool(paper)) for code, reason, paper in items(batch)] == [
            ("A1", "", True),
            ("B2", "", True),
            ("C3", "no movement and zero balance", False),
            ("D4", "inactive", False),
        ]
        assert (batch.state, batch.title) == (BatchState.RUNNING, "Statements 2026-03")

    def test_each_paper_goes_to_its_own_party_with_its_own_facts(self, books):
        for code, _, paper in items(run(books))[:2]:
            party = Party.objects.get(code=code)
            snapshot = Document._base_manager.get(pk=paper.pk).snapshot
            assert (paper.subject_id, paper.recipient_id) == (party.pk, party.pk)
            assert (paper.recipient_code, snapshot["party"]["code"]) == (code, code)
            assert (paper.period_start, paper.period_end) == (MARCH.start, MARCH.end)
            assert snapshot["closing"] == f"{paper.amount:.2f}"
            assert paper.queue == "batch"
        assert {paper.amount for _, _, paper in items(run(books)) if paper} == {D("60.5"), D(7)}

    def test_run_again_it_finds_the_papers_there(self, books):
        first, second = run(books), run(books)
        assert items(first) == items(second)
        assert Document.objects.count() == 2

    def test_changed_facts_make_a_new_version_of_that_partys_paper_only(self, books):
        before = items(run(books))
        posted_payment(Party.objects.get(code="A1"), "1", date(2026, 3, 21))
        after = items(run(books))
        assert after[0][2] != before[0][2]
        assert (after[0][2].version, after[0][2].supersedes) == (2, before[0][2])
        assert after[1] == before[1]
        assert Document.objects.count() == 3

    def test_a_later_posting_changes_no_paper(self, books):
        before = items(run(books))
        posted_payment(Party.objects.get(code="A1"), "1", date(2026, 4, 1))
        assert items(run(books)) == before

    def test_planned_twice_by_a_message_that_came_twice_it_is_planned_once(self, books):
        batch = start_statement_run(company=books, period=MARCH, by=None)
        assert [plan(batch), plan(batch)] == ["done", "nothing to claim"]
        assert BatchItem.objects.filter(batch=batch).count() == 4

    def test_a_company_without_parties_has_an_empty_run(self):
        assert items(run(CompanyFactory.create())) == []

    def test_another_companys_parties_are_not_in_it(self, books):
        assert items(run(CompanyFactory.create())) == []
        assert Document.objects.count() == 0


@pytest.mark.django_db
class TestAPlanThatBreaksOff:
    def test_leaves_nothing_and_works_the_next_time(self, books, monkeypatch):
        whole = statement_runs._accounts

        def half(company, period):
            yield from islice(whole(company, period), 2)
            raise RuntimeError("the power went")

        monkeypatch.setattr(batches, "_CHUNK", 1)
        batch = start_statement_run(company=books, period=MARCH, by=None)
        with monkeypatch.context() as broken:
            broken.setattr(statement_runs, "_accounts", half)
            assert plan(batch) == "failed"
        assert Document.objects.count() == 0
        assert BatchItem.objects.count() == 0
        batch.refresh_from_db()
        assert batch.state == BatchState.PLANNING

        job = BatchJob.objects.get()
        assert (job.state, job.attempts) == ("queued", 1)
        BatchJob.objects.update(next_attempt_at=Now())
        assert plan(batch) == "done"
        assert len(items(batch)) == 4

    def test_a_run_that_was_cancelled_meanwhile_stays_empty(self, books, monkeypatch):
        batch = start_statement_run(company=books, period=MARCH, by=None)
        record = batches._record_plan

        def cancel_first(batch):
            Batch.objects.update(state=BatchState.CANCELLED)
            record(batch)

        monkeypatch.setattr(batches, "_record_plan", cancel_first)
        assert plan(batch) == "failed"
        assert Document.objects.count() == 0

    def test_lines_that_belong_to_no_account_stop_it(self, books, monkeypatch):
        """Two reads whose orders differ must never put one party's lines on another's paper."""
        read = statement_runs.read_movements
        monkeypatch.setattr(
            statement_runs, "read_movements", lambda *args: iter(list(read(*args))[::-1])
        )
        posted_invoice(Party.objects.get(code="B2"), "1")
        batch = start_statement_run(company=books, period=MARCH, by=None)
        assert plan(batch) == "failed"
        assert Document.objects.count() == 0


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestWhilePostingsComeIn:
    """A posting that is committed between two of the plan's reads is seen by none of them."""

    def plan_with_a_posting_in_between(self, company, party, monkeypatch):
        accounts = statement_runs.read_accounts

        def read_then_post(*args):
            found = accounts(*args)
            posting = threading.Thread(target=post)
            posting.start()
            posting.join(timeout=30)
            return found

        def post():
            try:
                posted_invoice(party, "1000", day=date(2026, 3, 25))
            finally:
                connection.close()

        monkeypatch.setattr(statement_runs, "read_accounts", read_then_post)
        batch = start_statement_run(company=company, period=MARCH, by=None)
        outcome = plan(batch)
        return outcome, [paper for _, _, paper in items(batch) if paper]

    def test_no_statement_holds_half_of_it(self, books, monkeypatch):
        party = Party.objects.get(code="A1")
        outcome, papers = self.plan_with_a_posting_in_between(books, party, monkeypatch)
        snapshot = Document._base_manager.get(pk=papers[0].pk).snapshot
        assert outcome == "done"
        assert snapshot["closing"] == "60.50"
        assert snapshot["lines"][-1][-1] == "60.50"
        assert snapshot["totals"] == {"debit": "100.50", "credit": "40.00"}

    def test_one_would_without_the_consistent_read(self, books, monkeypatch):
        """The control: the test above can fail."""
        monkeypatch.setattr(batches, "consistent_read", transaction.atomic)
        party = Party.objects.get(code="A1")
        outcome, papers = self.plan_with_a_posting_in_between(books, party, monkeypatch)
        snapshot = Document._base_manager.get(pk=papers[0].pk).snapshot
        assert outcome == "done"
        assert snapshot["lines"][-1][-1] != snapshot["closing"]

    def test_two_runs_planned_at_once_share_their_papers(self, books):
        runs = [start_statement_run(company=books, period=MARCH, by=None) for _ in range(2)]
        self.plan_all(runs)
        assert Document.objects.count() == 2
        assert items(runs[0]) == items(runs[1])
        assert len(items(runs[0])) == 4

    def plan_all(self, runs):
        """At once; one that the other made fail is tried again, as the dispatcher does."""

        def work(batch):
            try:
                for _ in range(20):
                    try:
                        plan(batch)
                    except OperationalError:
                        continue
                    if BatchJob.objects.get(batch=batch).state == "done":
                        return
                    BatchJob.objects.filter(batch=batch).update(next_attempt_at=Now())
                    time.sleep(0.05)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=[batch]) for batch in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)


@pytest.mark.django_db
class TestTheCommand:
    def say(self, *arguments, company="northgate", period="2026-03"):
        out = StringIO()
        call_command(
            "run_statements", f"--company={company}", f"--period={period}", *arguments, stdout=out
        )
        return out.getvalue()

    def test_a_dry_run_says_who_would_get_one_and_makes_none(self, books):
        said = self.say("--dry-run")
        assert "A1           Harbour & Hill" in said
        assert "included" in said
        assert "no movement and zero balance" in said
        assert "2 of 4 parties get a statement; 1 of them have no e-mail address." in said
        assert not Batch.objects.exists()
        assert not Document.objects.exists()

    def test_its_csv_holds_the_whole_table(self, books, tmp_path):
        self.say("--dry-run", f"--csv={tmp_path / 'table.csv'}")
        with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
            first, second, third, fourth = csv.DictReader(file)
        assert first == {
            "code": "A1",
            "name": "Harbour & Hill",
            "email": "a1@customer.example",
            "opening": "0.00",
            "invoiced": "100.50",
            "returned": "0.00",
            "paid": "40.00",
            "closing": "60.50",
            "included": "yes",
            "reason": "",
        }
        assert (second["name"], second["opening"], second["email"]) == ("Βιβλία", "7.00", "")
        assert (third["included"], third["reason"]) == ("no", "no movement and zero balance")
        assert (fourth["included"], fourth["reason"]) == ("no", "inactive")

    def test_its_json_counts_them(self, books):
        said = json.loads(self.say("--dry-run", "--json"))
        assert (said["company"], said["period"], said["currency"]) == (
            "northgate",
            "2026-03",
            "GBP",
        )
        assert (said["included"], said["left_out"]) == (2, 2)
        assert [party["included"] for party in said["parties"]] == [True, True, False, False]

    def test_its_amounts_have_the_currencys_minor_digits(self, books):
        type(books).objects.update(currency="JPY")
        assert json.loads(self.say("--dry-run", "--json"))["parties"][1]["closing"] == "7"

    def test_without_dry_run_it_starts_a_run(self, books):
        said = json.loads(self.say("--json"))
        batch = Batch.objects.get()
        assert said["batch"] == str(batch.pk)
        assert (batch.period_start, batch.state) == (MARCH.start, BatchState.PLANNING)

    def test_it_takes_parties_a_rule_and_whether_to_send(self, books):
        self.say("--party=A1", "--party=C3", "--who=all", "--send")
        batch = Batch.objects.get()
        chosen = Party.objects.filter(code__in=["A1", "C3"]).order_by("code")
        assert batch.parameters == {"who": "all", "parties": [str(p.pk) for p in chosen]}
        assert batch.send
        assert plan(batch) == "done"
        assert [(code, reason) for code, reason, _ in items(batch)] == [("A1", ""), ("C3", "")]

    def test_its_dry_run_follows_them_too(self, books):
        said = json.loads(self.say("--dry-run", "--json", "--party=C3", "--who=all"))
        assert [(row["code"], row["included"]) for row in said["parties"]] == [("C3", True)]

    def test_a_party_that_is_not_there_is_said(self, books):
        with pytest.raises(CommandError, match="--party: there is no party with the code Z9"):
            self.say("--party=A1", "--party=Z9")
        assert not Batch.objects.exists()

    def test_a_table_can_be_written_beside_the_run(self, books, tmp_path):
        self.say(f"--csv={tmp_path / 'table.csv'}")
        assert (tmp_path / "table.csv").exists()
        assert Batch.objects.count() == 1

    def test_a_company_that_is_not_there_is_said(self, books):
        with pytest.raises(CommandError, match="--company: there is no company 'nobody'"):
            self.say(company="nobody")

    @pytest.mark.parametrize("period", ["2026-13", "2026", "March", "2026-03-01", "0001-01"])
    def test_a_month_that_is_none_is_said(self, books, period):
        with pytest.raises(CommandError, match="write a month as YYYY-MM"):
            self.say("--dry-run", period=period)
        assert not Batch.objects.exists()

    def test_without_waiting_it_says_where_the_run_is(self, books, settings):
        said = self.say()
        assert f"is queued. Look at it at {settings.SITE_URL}/documents/runs/" in said

    def test_a_file_that_cannot_be_written_is_said(self, books, tmp_path):
        with pytest.raises(CommandError, match="--csv"):
            self.say("--dry-run", f"--csv={tmp_path / 'none' / 'table.csv'}")


@pytest.mark.django_db
def test_from_a_sales_file_to_the_printed_balance(company, tmp_path, archive_dir):
    """The whole way: import, run, render, and read back what the papers say."""
    path = tmp_path / "sales.csv"
    path.write_text(
        "Invoice,Customer,Customer name,Date,Quantity,Price,VAT rate\n"
        "1001,17850,Harbour & Hill,2026-03-02,10,123.45,20\n"
        "1002,13047,Ångström AB,2026-03-03,1,0.01,0\n"
        "C1003,17850,Harbour & Hill,2026-03-04,-1,123.45,20\n"
    )
    call_command(
        "import_sales", str(path), company="northgate", returns_prefix="C", stdout=StringIO()
    )
    batch = run(company)
    for _, _, paper in items(batch):
        assert work_on(Document, paper.pk, make_document) == "done"
    texts = {}
    for code, _, paper in items(batch):
        assert (paper.state, paper.pages) == ("ready", 1)
        content = (archive_dir / paper.storage_key).read_bytes()
        assert len(content) == paper.size
        texts[code] = text_of(content)
    assert "£1,333.26" in texts["17850"]  # 1234.50 + 20 % - 123.45 - 20 %
    assert "Harbour & Hill" in texts["17850"]
    assert "C1003" in texts["17850"]
    assert "£0.01" in texts["13047"]
    assert "Ångström AB" in texts["13047"]
    assert "Harbour" not in texts["13047"]
