"""From the question when and for whom, over the dry run, to a run under way."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from billing.dates import today
from billing.models import Party
from billing.views import statement_runs
from documents.models import Batch, BatchJob, Document
from documents.services.batches import plan_batch
from tests.billing.factories import new_party, posted_invoice, posted_payment
from tests.factories import member
from worker.running import work_on

START = "/billing/statements/"
DRY_RUN = f"{START}dry-run/"
MARCH = f"{DRY_RUN}?month=2026-03"
CLOSE = f"{START}close/?month=2026-03"


@pytest.fixture
def books(company, party):
    posted_payment(party, "40", date(2026, 3, 20), posted_invoice(party, "100.50"))
    posted_invoice(new_party(company, "B2", name="Βιβλία", email=""), "7", day=date(2026, 2, 1))
    new_party(company, "C3", name="Silent")
    return company


def token(client, url=MARCH):
    return str(client.get(url).context["token"])


def start(client, url=MARCH, **more):
    return client.post(url, {"token": token(client, url), **more})


def codes(response):
    return [row.account.party.code for row in response.context["rows"]]


class TestWhenAndForWhom:
    @pytest.mark.parametrize(
        ("zone", "month"), [("Pacific/Auckland", "2026-03"), ("America/Los_Angeles", "2026-02")]
    )
    def test_last_month_is_offered_by_the_companys_clock(
        self, clerk, company, monkeypatch, zone, month
    ):
        type(company).objects.update(time_zone=zone)
        with monkeypatch.context() as elsewhen:
            now = datetime(2026, 3, 31, 23, tzinfo=UTC)
            elsewhen.setattr("django.utils.timezone.now", lambda: now)
            form = clerk.get(START).context["form"]
        assert form["month"].value() == month

    @pytest.mark.parametrize(
        ("query", "field", "said"),
        [
            ("month=2026-13", "month", "Write the month as 2026-10."),
            ("", "month", "Write the month as 2026-10."),
            ("since=2026-03-01", "until", "Both days are needed"),
            ("since=2026-03-02&until=2026-03-01", "until", "ends before it begins"),
            ("since=2025-03-01&until=2026-03-02", "until", "a year at most"),
            ("month=2026-03&codes=P1,NOPE", "codes", "There is no party with the code NOPE."),
            ("month=2026-03&who=me", "who", "me is not one of the available choices"),
            ("since=2026-03-99&until=2026-03-01", "since", "Write the date"),
        ],
    )
    def test_what_cannot_be_is_said_beside_its_field(self, clerk, party, query, field, said):
        response = clerk.get(f"{DRY_RUN}?{query}")
        assert response.status_code == 200
        assert said in str(response.context["form"].errors[field])
        assert said in response.content.decode()

    def test_another_companys_code_is_unknown(self, stranger, party):
        assert "There is no party" in stranger.get(f"{MARCH}&codes=P1").content.decode()

    def test_a_period_of_days_is_as_good_as_a_month(self, clerk, books):
        response = clerk.get(f"{DRY_RUN}?month=2026-03&since=2026-03-15&until=2026-03-31")
        [account] = [row.account for row in response.context["rows"] if row.account.party.email]
        assert (account.opening, account.debits, account.credits) == (Decimal("100.50"), 0, 40)

    def test_change_leads_back_with_what_was_asked(self, clerk, books):
        body = clerk.get(f"{MARCH}&who=balance&codes=P1&send=on").context["form"].query
        form = clerk.get(f"{START}?{body}").context["form"]
        assert (form["month"].value(), form["who"].value()) == ("2026-03", "balance")
        assert (form["codes"].value(), form["send"].value()) == ("P1", True)


class TestTheDryRun:
    def test_it_shows_who_gets_one_with_amounts_and_totals(self, clerk, books):
        response = clerk.get(MARCH)
        assert codes(response) == ["B2", "P1"]
        body = response.content.decode()
        for amount in ("100.50", "40.00", "60.50", "£67.50"):
            assert amount in body
        assert response.context["counts"]["included"] == 2

    def test_each_part_has_its_own_rows(self, clerk, books):
        left_out = clerk.get(f"{MARCH}&part=left-out")
        assert codes(left_out) == ["C3"]
        assert "no movement and zero balance" in left_out.content.decode()
        no_email = clerk.get(f"{MARCH}&part=no-email")
        assert codes(no_email) == ["B2"]
        edit = reverse("billing:party_edit", args=[Party.objects.get(code="B2").pk])
        assert f"{edit}#id_email" in no_email.content.decode()

    def test_many_parties_come_by_pages(self, clerk, company, monkeypatch):
        monkeypatch.setattr(statement_runs, "PAGE_SIZE", 2)
        for number in range(5):
            posted_invoice(new_party(company, f"P{number}"), "1")
        first = clerk.get(MARCH)
        assert codes(first) == ["P0", "P1"]
        assert first.context["dry"].totals.closing == 5
        second = clerk.get(f"{MARCH}&after={first.context['page'].next}")
        assert codes(second) == ["P2", "P3"]

    def test_nobody_is_said_with_what_to_do(self, clerk, books):
        body = clerk.get(f"{DRY_RUN}?month=2020-01").content.decode()
        assert "Nobody gets a statement." in body
        assert "see why" in body
        assert 'id="start"' not in body

    def test_nothing_was_measured_yet(self, clerk, books):
        assert (
            "no statement was made yet that could be measured" in clerk.get(MARCH).content.decode()
        )

    def test_looking_writes_nothing(self, clerk, accountant, books):
        start(accountant)
        work_on(BatchJob, BatchJob.objects.get().pk, plan_batch)
        with CaptureQueriesContext(connection) as captured:
            clerk.get(START)
            clerk.get(MARCH)
        verbs = {query["sql"].split()[0] for query in captured.captured_queries}
        assert verbs <= {"SELECT", "DECLARE", "SAVEPOINT", "RELEASE", "BEGIN", "SET"}

    def test_it_takes_as_many_queries_for_many_parties(self, accountant, books, clerk):
        def queries():
            with CaptureQueriesContext(connection) as captured:
                assert clerk.get(MARCH).status_code == 200
            return len(captured)

        start(accountant)
        work_on(BatchJob, BatchJob.objects.get().pk, plan_batch)
        few = queries()
        for number in range(20):
            posted_invoice(new_party(books, f"M{number}"), "1")
        Batch.objects.update(state="done")
        start(accountant, anyway="1")
        work_on(BatchJob, BatchJob.objects.get(state="queued").pk, plan_batch)
        assert queries() == few

    def test_what_is_there_already_is_said_of_each(self, clerk, accountant, books, party):
        start(accountant)
        work_on(BatchJob, BatchJob.objects.get().pk, plan_batch)
        posted_payment(party, "1", date(2026, 3, 30))
        body = clerk.get(MARCH).content.decode()
        assert "2 of them have a statement for this period already." in body
        assert "changed: a new version" in body


class TestTheStart:
    def test_it_leads_to_the_page_of_the_run(self, accountant, books):
        response = start(accountant, f"{MARCH}&codes=P1&who=balance&send=on")
        batch = Batch.objects.get()
        assert response["Location"] == batch.get_absolute_url()
        assert (batch.send, batch.parameters["who"]) == (True, "balance")
        assert batch.parameters["parties"] == [str(Party.objects.get(code="P1").pk)]
        assert (batch.period_start, batch.period_end) == (date(2026, 3, 1), date(2026, 3, 31))
        assert batch.requested_by is not None

    def test_it_prints_the_figures_of_the_page(self, accountant, books):
        shown = {
            row.account.party.code: row.account for row in accountant.get(MARCH).context["rows"]
        }
        start(accountant)
        work_on(BatchJob, BatchJob.objects.get().pk, plan_batch)
        papers = Document.objects.values_list("recipient_code", "amount")
        assert dict(papers) == {code: account.closing for code, account in shown.items()}

    def test_what_is_posted_in_between_is_printed_as_the_page_says(self, accountant, books, party):
        body = accountant.get(MARCH).content.decode()
        assert "what is posted until then is on its papers" in body
        start(accountant)
        posted_payment(party, "10", date(2026, 3, 30))
        work_on(BatchJob, BatchJob.objects.get().pk, plan_batch)
        assert Document.objects.get(recipient_code="P1").amount == Decimal("50.50")

    def test_a_double_click_starts_one(self, accountant, books):
        posted = {"token": token(accountant)}
        first, second = accountant.post(MARCH, posted), accountant.post(MARCH, posted)
        assert first["Location"] == second["Location"]
        assert Batch.objects.count() == 1

    def test_a_second_person_is_told_by_whom_and_may_go_on(self, as_role, company, books):
        ada = member(Role.ACCOUNTANT, company=company, user__name="Ada Byron")
        from_ada = self.client_of(ada)
        first = start(from_ada)
        other = as_role(Role.ACCOUNTANT)
        refused = other.post(MARCH, {"token": token(other)})
        assert refused.status_code == 200
        body = refused.content.decode()
        assert "Nothing was started." in body
        assert "by Ada Byron" in body
        assert Batch.objects.count() == 1
        again = other.post(MARCH, {"token": refused.context["token"], "anyway": "1"})
        assert again["Location"] != first["Location"]
        assert Batch.objects.count() == 2

    def client_of(self, membership):
        client = Client()
        client.force_login(membership.user)
        return client

    def test_something_wrong_in_the_address_starts_nothing(self, accountant, books):
        accountant.post(f"{DRY_RUN}?month=never", {"token": token(accountant)})
        assert not Batch.objects.exists()


class TestWhoMay:
    @pytest.mark.parametrize("url", [START, MARCH])
    def test_a_clerk_looks_and_a_viewer_does_not(self, clerk, viewer, anonymous, url, books):
        assert clerk.get(url).status_code == 200
        assert viewer.get(url).status_code == 403
        assert reverse("account_login") in anonymous.get(url)["Location"]

    @pytest.mark.parametrize("url", [MARCH, CLOSE])
    def test_only_an_accountant_starts_and_closes(self, clerk, anonymous, company, books, url):
        assert clerk.post(url, {"token": token(clerk)}).status_code == 403
        assert anonymous.post(url)["Location"].startswith(reverse("account_login"))
        company.refresh_from_db()
        assert company.books_closed_until is None
        assert not Batch.objects.exists()

    def test_a_clerk_is_told_who_can(self, clerk, books):
        body = clerk.get(MARCH).content.decode()
        assert "An accountant starts the run" in body
        assert 'id="close-books"' not in body

    def test_after_signing_in_one_is_back_at_the_dry_run(self, anonymous, db):
        there = anonymous.post(CLOSE)["Location"]
        assert parse_qs(urlsplit(there).query)["next"] == [MARCH]

    def test_a_stranger_sees_their_own_parties_only(self, stranger, books):
        response = stranger.get(MARCH)
        assert codes(response) == []

    def test_the_button_is_where_it_is_looked_for(self, clerk, viewer, company):
        for page in ("/documents/runs/", "/billing/", "/billing/balances/"):
            assert f'href="{START}"' in clerk.get(page).content.decode()
            assert f'href="{START}"' not in viewer.get(page).content.decode()


class TestClosingTheBooksFirst:
    def test_it_is_offered_done_and_no_longer_offered(self, accountant, company, books):
        assert 'id="close-books"' in accountant.get(MARCH).content.decode()
        response = accountant.post(CLOSE, follow=True)
        company.refresh_from_db()
        assert company.books_closed_until == date(2026, 3, 31)
        body = response.content.decode()
        assert "The books are closed up to 2026-03-31." in body
        assert 'id="close-books"' not in body

    def test_a_period_that_is_not_over_is_refused_with_the_reason(self, accountant, company, books):
        this_month = today(company).strftime("%Y-%m")
        tomorrow = today(company) + timedelta(days=1)
        body = accountant.get(f"{DRY_RUN}?month={this_month}").content.decode()
        if tomorrow.day != 1:
            assert "The period is not over" in body
        query = f"since={today(company)}&until={tomorrow}"
        response = accountant.post(f"{START}close/?{query}", follow=True)
        assert "The books stay open. The date is in the future." in response.content.decode()
        company.refresh_from_db()
        assert company.books_closed_until is None
