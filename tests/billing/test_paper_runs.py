"""Runs over many records: a row each, its paper or the reason why it has none, and fair turns."""

from datetime import date
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.dates import Period
from billing.models import Challan, ChallanItem, Invoice, Payment
from billing.services import (
    delete_draft,
    delete_return,
    start_statement_run,
    void_invoice,
    void_payment,
)
from billing.services.paper_runs import SOURCES, start_paper_run
from billing.services.papers import paper_of, request_paper
from documents.models import Batch, BatchJob, Document
from documents.papers import run_kind
from documents.services.batches import plan_batch
from tests.billing.factories import (
    draft_invoice,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
    returned_item,
)
from tests.factories import CompanyFactory
from tests.worker.messages import waiting
from worker.dispatching import dispatch_once
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def party(company):
    return new_party(company, "A1", name="Harbour & Hill")


def plan(batch):
    return work_on(BatchJob, BatchJob.objects.get(batch=batch).pk, plan_batch)


def run(company, kind, records, **options):
    batch = start_paper_run(
        company=company, kind=kind, records=[row.pk for row in records], by=None, **options
    )
    assert plan(batch) == "done"
    return batch


def rows(batch):
    items = batch.items.order_by("position").select_related("document")
    return [(item.code, item.skipped_reason, item.document) for item in items]


def challan(party):
    made = Challan.objects.create(
        company=party.company,
        party=party,
        challan_number=f"CH-{Challan.objects.count()}",
        challan_date=date(2026, 3, 2),
    )
    ChallanItem.objects.create(challan=made, position=1, description="Crate", quantity=3)
    return made


def records_of_every_kind(party):
    """Of each kind some with what their paper shows besides: items, applications, invoices."""
    first, second = posted_invoice(party, "10", "20.5"), posted_invoice(party, "30")
    return {
        "invoice-papers": [first, second, draft_invoice(party, "3")],
        "receipt-papers": [
            posted_payment(party, "5", invoice=first),
            posted_payment(party, "900"),
            posted_payment(party, "7", invoice=second),
        ],
        "return-papers": [returned_item(first), posted_return(party, "4")],
        "challan-papers": [challan(party), challan(party)],
    }


@pytest.mark.parametrize("kind", SOURCES)
def test_each_paper_is_the_one_that_is_asked_for_singly(company, party, kind):
    records = records_of_every_kind(party)[kind]
    made = rows(run(company, kind, records))
    assert [document.subject_id for _, _, document in made] == [record.pk for record in records]
    for (_, _, document), record in zip(made, records, strict=True):
        fresh = type(record).objects.get(pk=record.pk)
        assert request_paper(record=fresh, by=None) == document
        assert document.recipient_id == party.pk
        assert document.queue == "batch"


@pytest.mark.parametrize("kind", SOURCES)
def test_ten_times_the_records_take_no_more_queries(company, party, kind):
    def queries(times):
        records = [row for _ in range(times) for row in records_of_every_kind(party)[kind]]
        batch = start_paper_run(
            company=company, kind=kind, records=[row.pk for row in records], by=None
        )
        with CaptureQueriesContext(connection) as captured:
            assert len(list(run_kind(kind).plan(batch))) == len(records)
        return len(captured)

    assert queries(1) == queries(10)


def test_what_can_no_longer_be_printed_is_a_row_with_the_reason(company, party):
    kept, deleted = posted_invoice(party, "1"), draft_invoice(party, "2")
    gone = draft_invoice(party, "3")
    records = [kept, deleted, gone]
    batch = start_paper_run(
        company=company, kind="invoice-papers", records=[row.pk for row in records], by=None
    )
    delete_draft(invoice=deleted, by=None)
    Invoice.all_objects.filter(pk=gone.pk).delete()
    assert plan(batch) == "done"
    assert [(code, reason, bool(document)) for code, reason, document in rows(batch)] == [
        (kept.invoice_number, "", True),
        ("draft", "it was deleted", False),
        ("", "no longer there", False),
    ]


def test_drafts_and_voided_ones_are_printed_as_what_they_are(company, party):
    void = posted_invoice(party, "1")
    void_invoice(invoice=void, reason="Twice", by=None)
    papers = [
        it[2] for it in rows(run(company, "invoice-papers", [draft_invoice(party, "2"), void]))
    ]
    states = [Document._base_manager.get(pk=paper.pk).snapshot["state"] for paper in papers]
    assert states == ["draft", "void"]


def test_what_was_voided_or_deleted_since_is_told_of_each_kind(company, party):
    payment, credit = posted_payment(party, "5"), posted_return(party, "4")
    receipts = start_paper_run(
        company=company, kind="receipt-papers", records=[payment.pk], by=None
    )
    notes = start_paper_run(company=company, kind="return-papers", records=[credit.pk], by=None)
    void_payment(payment=payment, reason="Bounced", by=None)
    delete_return(return_document=credit, by=None)
    assert plan(receipts) == plan(notes) == "done"
    [(_, _, document)] = rows(receipts)
    assert Document._base_manager.get(pk=document.pk).snapshot["state"] == "void"
    [(code, reason, document)] = rows(notes)
    assert (code, reason, document) == (credit.return_number, "it was deleted", None)


def test_a_record_whose_facts_do_not_add_up_stops_only_itself(company, party, monkeypatch):
    good, bad = draft_invoice(party, "1"), draft_invoice(party, "2")

    def paper(record, **options):
        if record.pk == bad.pk:
            raise ValidationError("The discount is larger than the sum.")
        return paper_of(record, **options)

    monkeypatch.setattr("billing.services.paper_runs.paper_of", paper)
    made = rows(run(company, "invoice-papers", [good, bad]))
    assert [(reason, bool(document)) for _, reason, document in made] == [
        ("", True),
        ("The discount is larger than the sum.", False),
    ]


def test_another_companys_record_is_not_there(company, party):
    foreign = posted_invoice(new_party(CompanyFactory.create(), "A1"), "1")
    assert rows(run(company, "invoice-papers", [foreign])) == [("", "no longer there", None)]
    assert not Document.objects.exists()


def test_a_record_that_is_named_twice_has_one_row(company, party):
    invoice = posted_invoice(party, "1")
    batch = run(company, "invoice-papers", [invoice, invoice])
    assert len(rows(batch)) == 1
    assert batch.title == "1 invoice"


def test_nothing_and_too_much_are_refused(company, monkeypatch):
    with pytest.raises(ValidationError, match="nothing to make"):
        run(company, "invoice-papers", [])
    monkeypatch.setattr("billing.services.paper_runs.MOST_PAPERS", 2)
    with pytest.raises(ValidationError, match="at most 2 papers"):
        start_paper_run(
            company=company, kind="invoice-papers", records=[uuid4() for _ in range(3)], by=None
        )
    assert not Batch.objects.exists()


def test_sent_twice_it_is_one_run_and_with_other_records_another(company, party):
    first, second, token = posted_invoice(party, "1"), posted_invoice(party, "2"), uuid4()

    def start(*records):
        return start_paper_run(
            company=company,
            kind="invoice-papers",
            records=[row.pk for row in records],
            by=None,
            token=token,
        )

    assert start(first) == start(first)
    assert start(first) != start(first, second)
    assert BatchJob.objects.count() == 2


# --- Fairness ------------------------------------------------------------------------------------


def small_company(slug, parties):
    company = CompanyFactory.create(slug=slug)
    for number in range(parties):
        posted_invoice(new_party(company, f"P{number}"), "1")
    return company


@pytest.mark.django_db(transaction=True)
class TestFairness:
    def published(self, queues, queue):
        ids = waiting(queues, queue)
        documents = Document.objects.in_bulk(ids)
        return [documents[key].company.slug for key in documents_in(ids, documents)]

    def start(self, company):
        march = Period.month("2026-03")
        batch = start_statement_run(company=company, period=march, by=None)
        assert plan(batch) == "done"
        return batch

    def test_the_runs_of_two_companies_share_the_workers(self, queues, settings):
        settings.DISPATCH_WINDOW = 6
        for slug in ("first", "second"):
            self.start(small_company(slug, 8))
        queues.delete("batch")
        dispatch_once()
        assert self.published(queues, "batch") == ["first", "second"] * 3

    def test_a_run_of_papers_shares_them_with_a_run_of_statements(self, queues, settings):
        settings.DISPATCH_WINDOW = 6
        statements, papers = small_company("statements", 8), small_company("papers", 8)
        self.start(statements)
        run(papers, "invoice-papers", Invoice.objects.for_company(papers))
        queues.delete("batch")
        dispatch_once()
        assert self.published(queues, "batch") == ["statements", "papers"] * 3

    def test_one_who_asks_for_one_paper_waits_behind_no_run(self, queues, settings):
        settings.DISPATCH_WINDOW = 4
        company = small_company("first", 8)
        self.start(company)
        queues.delete("batch", "interactive")
        dispatch_once()
        payment = posted_payment(company_party(company), "1")
        document = request_paper(record=Payment.objects.get(pk=payment.pk), by=None)
        assert len(waiting(queues, "batch")) == 4
        assert waiting(queues, "interactive") == [str(document.pk)]


def documents_in(ids, documents):
    known = {str(pk): pk for pk in documents}
    return [known[text] for text in ids if text in known]


def company_party(company):
    return Invoice.objects.for_company(company).select_related("party").first().party
