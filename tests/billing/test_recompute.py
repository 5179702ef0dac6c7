"""A recomputation's life: cut into chunks, one open a company, one a night, closed at its end."""

import datetime
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Role
from billing.models import Recomputation, RecomputationChunk, RecomputationState
from billing.services import recomputing
from billing.services.recomputing import (
    cancel_recomputation,
    close_finished_recomputations,
    finish_here,
    recompute_chunk,
    start_nightly_recomputation,
    start_recomputation,
)
from billing.tasks import recompute_chunk as recompute_chunk_task
from billing.tasks import start_nightly_recomputation as nightly_task
from documents.models import Notification
from tests.billing.drifting import APPLY, REPORT, found, recompute, shift, sound_books
from tests.billing.factories import new_party, posted_invoice
from tests.factories import CompanyFactory, member
from worker.leasing import WorkState
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(party):
    sound_books(party)


class TestChunks:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr(recomputing, "CHUNK", 4)

    @pytest.mark.parametrize(
        ("parties", "chunks"), [(0, 1), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3)]
    )
    def test_cover_every_party_once(self, company, parties, chunks):
        for number in range(parties):
            party = new_party(company, code=f"Q{number}")
            posted_invoice(party, "5")
            shift(party, invoiced="1")
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        cut = list(run.chunks.order_by("position"))
        assert len(cut) == chunks
        assert sum(chunk.parties for chunk in cut) == parties
        assert (cut[0].first.int, cut[-1].last.int) == (0, 2**128 - 1)
        assert all(one.last.int + 1 == two.first.int for one, two in pairwise(cut))
        finish_here(run)
        assert (run.drifting, len(found(run))) == (parties, parties)

    def test_a_party_entered_meanwhile_belongs_to_one(self, company):
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        for number in range(9):
            party = new_party(company, code=f"Q{number}")
            posted_invoice(party, "5")
            shift(party, invoiced="1")
        finish_here(run)
        assert run.drifting == 9

    def test_a_message_that_comes_twice_finds_nothing_to_do(self, company, books, party):
        shift(party, paid="3")
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        [chunk] = run.chunks.all()
        assert recompute_chunk_task(str(chunk.pk)) == "done"
        assert recompute_chunk_task(str(chunk.pk)) == "nothing to claim"
        assert len(found(run)) == 1

    def test_one_whose_lease_was_lost_writes_nothing(self, company, books, party):
        shift(party, paid="3")
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        stale = RecomputationChunk.claim(run.chunks.get().pk)
        RecomputationChunk.objects.update(state=WorkState.QUEUED, token=None)
        recompute_chunk(stale)
        assert found(run) == []
        finish_here(run)
        assert len(found(run)) == 1

    def test_one_that_fails_for_good_fails_the_run(self, company, books):
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        run.chunks.update(state=WorkState.FAILED, failure="It was lost.")
        assert close_finished_recomputations() == 1
        run.refresh_from_db()
        assert run.state == RecomputationState.FAILED
        assert close_finished_recomputations() == 0


class TestOneAtATime:
    def test_the_second_press_finds_the_first(self, company, books):
        first = start_recomputation(company=company, mode=REPORT, by=None)
        second = start_recomputation(company=company, mode=APPLY, by=None)
        assert (first.is_new, second.is_new, second.run) == (True, False, first.run)
        assert RecomputationChunk.objects.count() == 1

    def test_the_database_says_so_too(self, company):
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        with pytest.raises(IntegrityError), transaction.atomic():
            Recomputation.objects.create(company=company, number=run.number + 1, mode=REPORT)

    def test_another_company_has_its_own(self, company):
        start_recomputation(company=company, mode=REPORT, by=None)
        assert start_recomputation(company=CompanyFactory.create(), mode=REPORT, by=None).is_new

    def test_numbers_count_on(self, company):
        assert [recompute(company).number for _ in range(3)] == [1, 2, 3]

    def test_a_cancelled_one_makes_room_and_keeps_what_was_found(
        self, company, monkeypatch, books, party
    ):
        monkeypatch.setattr(recomputing, "CHUNK", 1)
        new_party(company, code="P2")
        shift(party, paid="3")
        run = start_recomputation(company=company, mode=REPORT, by=None).run
        mine = run.chunks.get(first__lte=party.pk, last__gte=party.pk)
        work_on(RecomputationChunk, mine.pk, recompute_chunk)
        cancel_recomputation(run=run)
        run.refresh_from_db()
        assert (run.state, run.drifting, len(found(run))) == ("cancelled", 1, 1)
        assert run.chunks.filter(state=WorkState.CANCELLED).count() == 1
        with pytest.raises(ValidationError, match="over already"):
            cancel_recomputation(run=run)
        assert start_recomputation(company=company, mode=REPORT, by=None).is_new

    def test_what_a_lost_worker_left_of_a_cancelled_run_corrects_nothing(
        self, company, party, books
    ):
        shift(party, invoiced="5")
        run = start_recomputation(company=company, mode=APPLY, by=None).run
        chunk = run.chunks.get()
        RecomputationChunk.claim(chunk.pk)
        cancel_recomputation(run=run)
        RecomputationChunk.objects.update(state=WorkState.QUEUED, token=None)  # the lease ran out
        work_on(RecomputationChunk, chunk.pk, recompute_chunk)
        chunk.refresh_from_db()
        assert (chunk.state, found(run)) == (WorkState.CANCELLED, [])


class TestNightly:
    def test_each_company_gets_one_report_a_day(self, company, books):
        CompanyFactory.create()  # has no party
        assert [nightly_task() for _ in range(3)] == [1, 0, 0]
        run = Recomputation.objects.get()
        assert (run.mode, run.requested_by, run.company) == ("report", None, company)
        finish_here(run)
        assert start_nightly_recomputation() == 0

    def test_the_day_is_the_companys_own(self, company, books, monkeypatch):
        monkeypatch.setattr(recomputing, "today", lambda _: datetime.date(2026, 11, 22))
        start_nightly_recomputation()
        finish_here(Recomputation.objects.get())
        monkeypatch.setattr(recomputing, "today", lambda _: datetime.date(2026, 11, 23))
        assert start_nightly_recomputation() == 1

    def test_where_another_is_open_it_waits_for_its_end(self, company, books):
        open_ = start_recomputation(company=company, mode=REPORT, by=None).run
        assert start_nightly_recomputation() == 0
        finish_here(open_)
        assert start_nightly_recomputation() == 1


class TestWhatTheNightFound:
    @pytest.fixture
    def night(self, company, party):
        sound_books(party)

        def run() -> list[Notification]:
            assert start_nightly_recomputation() == 1
            finish_here(Recomputation.objects.for_company(company).latest("number"))
            return list(Notification.objects.for_company(company))

        return run

    def test_is_told_to_the_owners_with_the_way_there(self, night, company, party):
        owner = member(Role.OWNER, company=company)
        member(Role.CLERK, company=company)
        shift(party, invoiced="3")
        [told] = night()
        assert told.user == owner.user
        assert told.title == "1 balance is not what the documents come to"
        assert told.url == Recomputation.objects.get().get_absolute_url()

    def test_is_not_told_when_every_balance_is_right(self, night, company):
        member(Role.OWNER, company=company)
        assert night() == []
