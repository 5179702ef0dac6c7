"""The pages of recomputations: begun, followed, left and found again, applied."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from billing.audit import history_of
from billing.models import Balance, Recomputation, RecomputationMode, RecomputationState
from billing.selectors.recomputations import ChunkProgress
from billing.services.recomputing import finish_here, start_recomputation
from tests.billing.books import assert_reconciled
from tests.billing.drifting import APPLY, recompute, shift, sound_books
from tests.billing.factories import new_party, posted_invoice
from tests.billing.pages.conftest import business_queries

BALANCES, LIST = reverse("billing:balances"), reverse("billing:recomputations")
START = reverse("billing:recompute")
LABEL = "Recompute balances"


def body(answer) -> str:
    return answer.content.decode()


def address(name: str, run: Recomputation) -> str:
    return reverse(f"billing:recomputation{name}", args=[run.pk])


@pytest.fixture
def open_run(company) -> Recomputation:
    return start_recomputation(company=company, mode=RecomputationMode.REPORT, by=None).run


@pytest.fixture
def report(company, party) -> Recomputation:
    """Finished, with one drift."""
    sound_books(party)
    shift(party, invoiced="100")
    return recompute(company)


class TestBeginning:
    def test_an_accountant_presses_the_button_and_follows_it(self, accountant, company, party):
        assert LABEL in body(accountant.get(BALANCES))
        answer = accountant.post(START, follow=True)
        run = Recomputation.objects.get()
        assert answer.redirect_chain == [(run.get_absolute_url(), 302)]
        assert (run.mode, run.company, run.requested_by is None) == ("report", company, False)
        assert "0 of 1 parties compared" in body(answer)

    def test_the_second_press_finds_the_first(self, accountant, open_run):
        answer = accountant.post(START, follow=True)
        assert "Recomputation 1 is running already" in body(answer)
        assert Recomputation.objects.count() == 1

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK])
    def test_lower_roles_see_and_do_not_begin(self, as_role, report, role):
        client = as_role(role)
        assert LABEL not in body(client.get(BALANCES))
        assert LABEL not in body(client.get(LIST))
        said = body(client.get(report.get_absolute_url()))
        assert "is counted twice" in said
        assert "Apply these corrections" not in said
        assert client.post(START).status_code == 403
        assert client.post(address("_apply", report)).status_code == 403
        assert client.post(address("_cancel", report)).status_code == 403
        assert Recomputation.objects.count() == 1

    def test_looking_never_begins_one(self, accountant, report):
        assert accountant.get(START).status_code == 405
        assert accountant.get(address("_apply", report)).status_code == 405
        assert accountant.get(address("_cancel", report)).status_code == 405


class TestFollowing:
    def test_the_fragment_follows_to_the_end(self, viewer, open_run):
        first = viewer.get(open_run.get_absolute_url())
        assert "hx-get" in body(first)
        again = body(viewer.get(first.context["poll_url"]))
        assert 'id="progress"' not in again  # nothing moved: only a longer wait
        finish_here(open_run)
        last = body(viewer.get(first.context["poll_url"]))
        assert 'id="progress"' in last
        assert "every balance is right" in last
        assert "hx-trigger" not in last

    def test_it_says_how_long_it_will_take_once_that_can_be_told(self, company):
        run = Recomputation(company=company, created_at=timezone.now())

        def left(after, finished=25):
            at = run.created_at + timedelta(seconds=after)
            return ChunkProgress(100, finished, last_finished=at).time_left(run)

        assert left(after=20) == timedelta(seconds=60)
        assert left(after=0.5) is None  # too soon to say
        assert left(after=20, finished=0) is None

    def test_a_button_does_not_make_it_look_changed(self, accountant, open_run):
        first = accountant.get(open_run.get_absolute_url())
        assert 'form="cancel-run"' in body(first)
        assert 'id="progress"' not in body(accountant.get(first.context["poll_url"]))

    def test_it_is_found_again_in_the_list(self, viewer, open_run):
        said = body(viewer.get(LIST))
        assert open_run.get_absolute_url() in said
        assert "hx-get" in said

    def test_it_can_be_cancelled(self, accountant, open_run):
        said = body(accountant.post(address("_cancel", open_run), follow=True))
        assert "Recomputation 1 is cancelled." in said
        assert "Not all parties were compared" in said
        said = body(accountant.post(address("_cancel", open_run), follow=True))
        assert "over already" in said

    def test_one_that_failed_says_why(self, viewer, open_run):
        open_run.chunks.update(state="failed", failure="The database was away or busy.")
        Recomputation.objects.update(state=RecomputationState.FAILED)
        assert "The database was away or busy." in body(viewer.get(open_run.get_absolute_url()))


class TestTheResult:
    def test_shows_party_amounts_and_cause(self, viewer, report, party):
        said = body(viewer.get(report.get_absolute_url()))
        for text in (party.name, "£200.00", "£100.00", "-£100.00", "is counted twice", "differs"):
            assert text in said

    def test_of_sound_books_says_so(self, viewer, company, party):
        run = recompute(company)
        assert "<strong>Every balance is right.</strong>" in body(
            viewer.get(run.get_absolute_url())
        )

    def test_pages_follow_each_other(self, viewer, company):
        for number in range(103):
            party = new_party(company, code=f"Q{number:03}")
            posted_invoice(party, "5")
            shift(party, invoiced="1")
        run = recompute(company)
        page = viewer.get(run.get_absolute_url()).context["page"]
        rest = viewer.get(f"{run.get_absolute_url()}?after={page.next}").context["page"]
        assert [len(page.rows), len(rest.rows)] == [100, 3]
        assert [row.party.code for row in rest.rows] == ["Q100", "Q101", "Q102"]

    def test_the_list_takes_one_query_of_its_own_and_a_run_three(
        self, viewer, report, django_assert_max_num_queries
    ):
        assert len(business_queries(viewer, LIST)) == 1
        with django_assert_max_num_queries(5):
            viewer.get(report.get_absolute_url())

    def test_a_hostile_name_stays_text(self, viewer, company, party):
        party.name = "<script>alert(1)</script>"
        party.save()
        posted_invoice(party, "5")
        shift(party, invoiced="1")
        assert "<script>alert" not in body(viewer.get(recompute(company).get_absolute_url()))


class TestApplying:
    def test_is_asked_about_and_then_a_run_of_its_own(self, accountant, company, report):
        said = body(accountant.get(report.get_absolute_url()))
        assert "Apply these corrections" in said
        assert "closed books too" in said
        assert Balance.objects.get().invoiced == 200
        accountant.post(address("_apply", report))
        run = Recomputation.objects.get(number=2)
        assert (run.mode, run.corrects) == ("apply", report)
        assert run.requested_by is not None
        finish_here(run)
        assert_reconciled(company)
        assert "corrected" in body(accountant.get(run.get_absolute_url()))
        assert "Corrected by" in body(accountant.get(report.get_absolute_url()))

    def test_what_was_corrected_is_not_offered_again(self, accountant, company, party, report):
        run = recompute(company, APPLY, corrects=report)
        assert "Apply these corrections" not in body(accountant.get(run.get_absolute_url()))
        said = body(accountant.post(address("_apply", run), follow=True))
        assert "Only a finished report can be applied." in said

    def test_the_history_of_the_balance_tells_of_it(self, company, party, report):
        recompute(company, APPLY, corrects=report)
        entry = history_of(Balance.objects.get()).first()
        assert entry.changes["because_of"] == ["", "Recomputation 2"]


def test_a_stranger_finds_none_of_it(stranger, report):
    assert stranger.get(report.get_absolute_url()).status_code == 404
    assert stranger.get(address("_progress", report)).status_code == 404
    assert stranger.post(address("_apply", report)).status_code == 404
    assert stranger.post(address("_cancel", report)).status_code == 404
    assert "Recomputation 1" not in body(stranger.get(LIST))


@pytest.mark.parametrize("name", ["recomputations", "recompute"])
def test_nobody_else_gets_in(anonymous, name):
    method = anonymous.post if name == "recompute" else anonymous.get
    answer = method(reverse(f"billing:{name}"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
