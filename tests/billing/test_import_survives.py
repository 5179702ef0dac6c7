"""An import that is killed, or not alone, or very large."""

import json
import time

import pytest
from django.db import connection

from billing.imports import posting
from billing.imports import run as import_run
from billing.models import Invoice, Party
from tests.billing.books import assert_reconciled, database_url, output_of, python, race
from tests.billing.sales import HEADER, books, generated, run_import
from tests.factories import CompanyFactory

# Small chunks, so that a kill has many places to hit.
IMPORT = """
import sys, django
django.setup()
from django.core.management import call_command
from billing.imports import run
run._CHUNK = int(sys.argv[3])
call_command("import_sales", sys.argv[1], company=sys.argv[2], returns_prefix="C")
"""


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestKilled:
    def test_and_run_again_it_ends_as_if_nothing_had_happened(self, company, tmp_path):
        path = generated(tmp_path / "sales.csv.gz", 6000, documents_of=5, parties=60)
        killed = python(IMPORT, str(path), company.slug, "10", url=database_url())
        self.wait_for(company, killed, at_least=40)
        killed.kill()
        assert killed.wait() == -9
        halfway = Invoice.objects.filter(company=company).count()
        assert 40 <= halfway < 1176
        assert_reconciled(company)  # also in the middle

        again = json.loads(
            output_of(python(IMPORT, str(path), company.slug, "100", url=database_url()))
        )
        assert again["invoices_taken"] > 0
        assert again["documents_there_already"] >= halfway
        assert again["lines_taken"] + again["lines_there_already"] == 6000
        untouched = CompanyFactory.create()
        assert run_import(untouched, path).summary.lines_taken == 6000
        assert books(company) == books(untouched)
        assert_reconciled(company)

    def wait_for(self, company, process, at_least):
        deadline = time.monotonic() + 60
        while Invoice.objects.filter(company=company).count() < at_least:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.fixture(autouse=True)
    def _small_chunks(self, monkeypatch):
        monkeypatch.setattr(import_run, "_CHUNK", 10)

    def test_two_of_the_same_file_take_it_once(self, company, tmp_path):
        path = generated(tmp_path / "sales.csv.gz", 1500, documents_of=5, parties=40)
        summaries = []

        def take():
            summaries.append(run_import(company, path).summary)

        assert race(take, take) == {"done": 2}
        assert sum(summary.lines_taken for summary in summaries) == 1500
        assert sum(summary.lines_there_already for summary in summaries) == 1500
        alone = CompanyFactory.create()
        run_import(alone, path)
        assert books(company) == books(alone)

    def test_two_files_of_the_same_parties_the_other_way_round_both_go_in(
        self, company, tmp_path, monkeypatch
    ):
        """Slowed down, so that they would wait for each other if each kept its file's order."""
        insert = Party.objects.bulk_create

        def insert_slowly(rows, **options):
            for row in rows:
                insert([row], **options)
                time.sleep(0.02)

        monkeypatch.setattr(Party.objects, "bulk_create", insert_slowly)
        monkeypatch.setattr(import_run, "_CHUNK", 20)
        lines = [f"{{}}{number},A1,Candle,1,2010-12-01,1.00,{number},GB\n" for number in range(20)]
        one, other = tmp_path / "one.csv", tmp_path / "other.csv"
        one.write_text(HEADER + "\n" + "".join(line.format("A") for line in lines))
        other.write_text(HEADER + "\n" + "".join(line.format("B") for line in lines[::-1]))
        outcomes = race(lambda: run_import(company, one), lambda: run_import(company, other))
        assert outcomes == {"done": 2}
        assert Invoice.objects.count() == 40
        assert Party.objects.count() == 20
        assert_reconciled(company)


@pytest.mark.django_db
def test_a_failure_in_the_middle_of_a_chunk_leaves_nothing_of_it(company, tmp_path, monkeypatch):
    path = generated(tmp_path / "sales.csv.gz", 100, documents_of=5, parties=10)

    def fail(**_):
        raise RuntimeError("the balances could not be moved")

    with monkeypatch.context() as broken:
        broken.setattr(posting, "move_balances", fail)
        with pytest.raises(RuntimeError):
            run_import(company, path)
    assert not Invoice.objects.exists()
    assert not Party.objects.exists()
    assert run_import(company, path).summary.lines_taken == 100
    assert_reconciled(company)


@pytest.mark.django_db
def test_the_queries_of_an_import_grow_with_its_chunks_and_not_with_its_lines(
    company, tmp_path, django_assert_max_num_queries
):
    path = generated(tmp_path / "sales.csv.gz", 5000, documents_of=25, parties=50)
    with django_assert_max_num_queries(25 if connection.vendor == "postgresql" else 200):
        run_import(company, path)


MEMORY = """
import json, sys, django
django.setup()
from django.core.management import call_command
from accounts.models import Company
call_command("migrate", verbosity=0)
Company.objects.create(slug="large", legal_name="Large")

def peak():
    # Not ru_maxrss: that begins with what the parent had, also after exec.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

before = peak()
call_command("import_sales", sys.argv[1], company="large")
print(json.dumps([before, peak()]))
"""


def megabytes_of(tmp_path, lines):
    """Peak memory before and after an import of so many lines, in a process of its own."""
    path = generated(tmp_path / "large.csv.gz", lines)
    url = f"sqlite:///{tmp_path / 'books.sqlite3'}"
    out = output_of(python(MEMORY, str(path), url=url), timeout=900)
    said, _, measured = out.strip().rpartition("\n")
    assert json.loads(said)["lines_read"] == lines
    return json.loads(measured)


def test_memory_grows_little_with_the_length_of_the_file(tmp_path):
    before, peak = megabytes_of(tmp_path, 60_000)
    assert peak - before < 60
    assert peak < 250


@pytest.mark.slow
def test_half_a_million_lines_take_less_than_300_megabytes(tmp_path):
    _, peak = megabytes_of(tmp_path, 540_000)
    assert peak < 300
