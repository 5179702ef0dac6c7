"""The dry run: who would get a statement and of how much, without making any."""

import threading
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from billing.dates import Period
from billing.models import Party
from billing.selectors.dry_run import (
    INCLUDED,
    LEFT_OUT,
    MADE,
    NO_EMAIL,
    page_of_accounts,
    read_dry_run,
)
from billing.selectors.statement_runs import Selection, Who, run_started_lately
from billing.services import close_books, start_statement_run, statement_runs
from billing.services.balances import set_opening
from billing.services.periods import close_books_through
from billing.services.statement_runs import StartedAlready, earlier_statements
from documents.models import Batch, BatchJob, Document
from documents.selectors import Edge
from documents.selectors.pace import pace_of, papers_before
from documents.services.batches import plan_batch
from tests.billing.factories import new_party, posted_invoice, posted_payment, posted_return
from tests.factories import CompanyFactory, DocumentFactory, UserFactory
from tests.worker.racing import at_once
from worker.running import work_on

D = Decimal
MARCH = Period.month("2026-03")
pytestmark = pytest.mark.django_db


@pytest.fixture
def books(company):
    """Movement of every kind; a balance but no movement; nothing; inactive; settled."""
    buyer = new_party(company, "A1", name="Harbour & Hill")
    set_opening(party=buyer, opening=D(25), opening_date=date(2026, 3, 3), by=None)
    posted_payment(buyer, "40", date(2026, 3, 20), posted_invoice(buyer, "100.50"))
    posted_return(buyer, "9", date(2026, 3, 21))
    posted_invoice(new_party(company, "B2", name="Βιβλία", email=""), "7", day=date(2026, 2, 1))
    new_party(company, "C3", name="Silent")
    posted_invoice(new_party(company, "D4", name="Closed"), "5")
    Party.objects.filter(code="D4").update(is_active=False)
    settled = new_party(company, "E5", name="Settled")
    posted_payment(settled, "8", date(2026, 3, 11), posted_invoice(settled, "8"))
    return company


def planned(company, **options):
    batch = start_statement_run(company=company, period=MARCH, by=None, **options)
    assert work_on(BatchJob, BatchJob.objects.get(batch=batch).pk, plan_batch) == "done"
    return batch


def codes(accounts):
    return [account.party.code for account in accounts]


def rows(batch):
    return {item.code: item.skipped_reason for item in batch.items.order_by("position")}


def dry(company, **options):
    return read_dry_run(company, MARCH, Selection(**options))


@pytest.mark.parametrize("who", Who)
def test_it_says_of_everybody_what_the_run_then_does_and_prints(books, who):
    said = dry(books, who=who)
    batch = planned(books, who=who)
    reasons = {
        account.party.code: said.reasons[account.party.pk] for account in said.shown[LEFT_OUT]
    }
    done = rows(batch)
    assert {code: reason for code, reason in done.items() if reason} == reasons
    assert [code for code, reason in done.items() if not reason] == codes(said.shown[INCLUDED])
    papers = {paper.recipient_code: paper for paper in Document._base_manager.all()}
    for account in said.shown[INCLUDED]:
        facts, paper = papers[account.party.code].snapshot, papers[account.party.code]
        assert paper.amount == account.closing
        assert [D(facts["opening"]), D(facts["closing"])] == [account.opening, account.closing]
        assert D(facts["totals"]["debit"]) == account.debits
        assert D(facts["totals"]["credit"]) == account.credits
        assert account.opening + account.debits - account.credits == account.closing


def test_its_totals_are_those_of_who_gets_one(books):
    totals = dry(books).totals
    assert (totals.opening, totals.debits) == (D(7), D("133.50"))
    assert (totals.credits, totals.closing) == (D(57), D("83.50"))


def test_each_is_left_out_with_its_reason(books):
    assert dry(books).left_out_by_reason == [("no movement and zero balance", 1), ("inactive", 1)]
    assert codes(dry(books, who=Who.BALANCE).shown[INCLUDED]) == ["A1", "B2"]
    assert codes(dry(books, who=Who.ALL).shown[INCLUDED]) == ["A1", "B2", "C3", "E5"]


def test_who_lacks_an_address_is_among_those_who_get_one(books):
    Party.objects.filter(code="C3").update(email="")
    assert codes(dry(books).shown[NO_EMAIL]) == ["B2"]


def test_chosen_parties_are_all_there_is(books):
    chosen = tuple(Party.objects.filter(code__in=["B2", "C3"]).values_list("pk", flat=True))
    said = dry(books, parties=chosen)
    assert (codes(said.shown[INCLUDED]), codes(said.shown[LEFT_OUT])) == (["B2"], ["C3"])
    batch = planned(books, parties=chosen)
    assert rows(batch) == {"B2": "", "C3": "no movement and zero balance"}


def test_a_run_may_be_started_for_parties_as_well_as_their_ids(books):
    party = Party.objects.get(code="A1")
    assert rows(planned(books, parties=[party])) == rows(planned(books, parties=[party.pk]))


def test_another_companys_party_is_refused(books):
    foreign = new_party(CompanyFactory.create(), "A1")
    with pytest.raises(ValidationError, match="not there"):
        start_statement_run(company=books, period=MARCH, by=None, parties=[foreign])
    assert not Batch.objects.exists()


def test_a_chosen_party_that_is_gone_when_it_is_planned_is_a_row_with_the_reason(books):
    gone = new_party(books, "Z9")
    batch = start_statement_run(company=books, period=MARCH, by=None, parties=[gone])
    Party.all_objects.filter(pk=gone.pk).delete()
    work_on(BatchJob, batch.jobs.get().pk, plan_batch)
    [item] = batch.items.all()
    assert (item.subject_id, item.skipped_reason) == (gone.pk, "no longer there")


def test_nothing_is_written(books):
    before = Document.objects.count(), Batch.objects.count()
    dry(books)
    assert (Document.objects.count(), Batch.objects.count()) == before


def test_it_takes_as_many_queries_for_many_parties(books, django_assert_num_queries):
    for number in range(30):
        posted_invoice(new_party(books, f"M{number}"), "1")
    with django_assert_num_queries(8):  # six, and the savepoint around them
        dry(books)


class TestWhatIsThereAlready:
    def there(self, books):
        parties = Party.objects.for_company(books)
        ids = {party.pk: party.code for party in parties}
        found = earlier_statements(company=books, period=MARCH, parties=list(ids))
        return {ids[pk]: (it.document.version, it.is_same) for pk, it in found.items()}

    def test_nobody_at_first(self, books):
        assert self.there(books) == {}
        assert codes(dry(books).shown[MADE]) == []

    def test_unchanged_is_the_same_file_and_changed_a_new_version(self, books):
        first = planned(books)
        posted_payment(Party.objects.get(code="B2"), "1", date(2026, 3, 30))
        assert codes(dry(books).shown[MADE]) == ["A1", "B2", "E5"]
        assert self.there(books) == {"A1": (1, True), "B2": (1, False), "E5": (1, True)}
        second = planned(books)
        papers = [
            {item.code: item.document for item in run.items.exclude(document=None)}
            for run in (first, second)
        ]
        assert [papers[0][code] == papers[1][code] for code in ("A1", "B2", "E5")] == [
            True,
            False,
            True,
        ]

    def test_facts_that_changed_back_are_the_old_file_again(self, books):
        planned(books)
        Party.objects.filter(code="A1").update(name="Another name")
        planned(books)
        Party.objects.filter(code="A1").update(name="Harbour & Hill")
        assert self.there(books)["A1"] == (1, True)

    def test_other_periods_do_not_count(self, books):
        batch = start_statement_run(company=books, period=Period.month("2026-02"), by=None)
        work_on(BatchJob, batch.jobs.get().pk, plan_batch)
        assert self.there(books) == {}


class TestPagesOfIt:
    @pytest.fixture
    def accounts(self, company):
        for number in range(7):
            posted_invoice(new_party(company, f"P{number}"), "1")
        return dry(company).shown[INCLUDED]

    def test_every_party_is_on_one_page_forwards_and_backwards(self, accounts):
        pages, edge = [], Edge()
        while True:
            page = page_of_accounts(accounts, edge, 3)
            pages.append(codes(page.rows))
            if page.next is None:
                break
            edge = Edge(after=page.next)
        assert pages == [["P0", "P1", "P2"], ["P3", "P4", "P5"], ["P6"]]
        back = [pages[-1]]
        while page.previous:
            page = page_of_accounts(accounts, Edge(before=page.previous), 3)
            back.insert(0, codes(page.rows))
        assert back == pages
        assert page.is_first

    def test_a_key_that_leads_nowhere_is_the_first_page(self, accounts):
        assert page_of_accounts(accounts, Edge(after=str(uuid4())), 3).is_first


class TestTwoWhoStartIt:
    def test_sent_twice_it_is_one_run(self, books):
        token = uuid4()
        first, second = (planned_key(books, token) for _ in range(2))
        assert first == second
        assert Batch.objects.count() == BatchJob.objects.count() == 1

    def test_the_same_form_sent_for_something_else_is_another_run(self, books):
        token = uuid4()
        planned_key(books, token)
        planned_key(books, token, send=True, only_first=False)
        assert Batch.objects.count() == 2

    def test_the_second_is_told_of_the_firsts_run_and_may_go_on(self, books):
        first = planned_key(books, uuid4(), by=UserFactory.create(name="Ada Byron"))
        with pytest.raises(StartedAlready, match="a moment ago by Ada Byron") as refused:
            planned_key(books, uuid4())
        assert refused.value.batch == first
        planned_key(books, uuid4(), only_first=False)
        assert Batch.objects.count() == 2

    def test_one_that_was_long_ago_or_cancelled_or_of_another_period_is_in_nobodys_way(self, books):
        for state in ("done", "cancelled"):
            batch = planned_key(books, uuid4())
            old = timezone.now() - timedelta(hours=1) if state == "done" else batch.created_at
            Batch.objects.filter(pk=batch.pk).update(state=state, created_at=old)
        assert run_started_lately(books, MARCH) is None
        planned_key(books, uuid4())
        assert run_started_lately(books, Period.month("2026-02")) is None
        assert run_started_lately(CompanyFactory.create(), MARCH) is None


def planned_key(company, token: UUID, *, only_first=True, by=None, **options):
    return start_statement_run(
        company=company, period=MARCH, by=by, token=token, only_first=only_first, **options
    )


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestTwoAtTheSameMoment:
    def started(self, company):
        """What each of three got who press the button at once."""

        def press():
            try:
                planned_key(company, uuid4())
            except StartedAlready:
                return "told"
            return "started"

        return sorted(at_once(*[press] * 3))

    def test_one_starts_it_and_the_others_are_told(self, company):
        assert self.started(company) == ["started", "told", "told"]
        assert Batch.objects.count() == 1

    def test_one_form_sent_by_many_clicks_is_one_run(self, company):
        token = uuid4()
        runs = at_once(*[lambda: planned_key(company, token, only_first=False).pk] * 4)
        assert len(set(runs)) == 1
        assert Batch.objects.count() == BatchJob.objects.count() == 1

    def test_control_without_the_lock_they_would_not_see_each_other(self, company, monkeypatch):
        monkeypatch.setattr(statement_runs, "_hold", lambda company: None)
        look = statement_runs.run_started_lately
        all_there = threading.Barrier(3, timeout=20)

        def look_together(*args):
            found = look(*args)
            all_there.wait()
            return found

        monkeypatch.setattr(statement_runs, "run_started_lately", look_together)
        assert self.started(company) == ["started"] * 3


class TestHowLongItTakes:
    def test_nothing_was_measured_yet(self, company):
        assert pace_of(company, "statement") is None

    def test_the_median_of_the_last_papers_and_the_workers_that_were_at_it_together(self, company):
        self.make(company, seconds=0.2, by="a:1")
        self.make(company, seconds=0.2, by="a:2")
        self.make(company, seconds=9, by="a:2")
        self.make(company, seconds=0.2, by="old:7", ago=3600)
        pace = pace_of(company, "statement")
        assert (pace.papers, pace.workers, pace.a_minute) == (4, 2, 600)
        assert pace.time_for(6000) == timedelta(minutes=10)

    def test_papers_of_runs_are_measured_before_single_ones(self, company):
        self.make(company, seconds=5, by="a:9", queue="interactive")
        assert pace_of(company, "statement").a_minute == 12
        self.make(company, seconds=1, by="a:1")
        assert pace_of(company, "statement").a_minute == 60
        assert pace_of(CompanyFactory.create(), "statement") is None

    def test_papers_of_other_runs_come_in_between_but_not_behind(self, company):
        assert papers_before(10) == 0
        for turn in range(30):
            DocumentFactory.create(queue="batch", turn=100 + turn)
        DocumentFactory.create(queue="interactive", turn=0)
        assert papers_before(10) == 10
        assert papers_before(1000) == 30

    def make(self, company, *, seconds, by, ago=0, queue="batch"):
        finished = timezone.now() - timedelta(seconds=ago)
        DocumentFactory.create(
            company=company,
            ready=True,
            queue=queue,
            made_by=by,
            started_at=finished - timedelta(seconds=seconds),
            finished_at=finished,
        )


def test_closing_for_a_run_never_opens_what_is_closed_further(company):
    close_books(company=company, until=date(2026, 4, 30), by=None)
    close_books_through(company=company, until=MARCH.end, by=None)
    company.refresh_from_db()
    assert company.books_closed_until == date(2026, 4, 30)
