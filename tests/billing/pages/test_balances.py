"""The page of balances: what each party owes, and the opening balances entered in place."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.dates import today
from billing.models import Balance
from billing.services.balances import set_opening
from documents.models import DocumentState
from tests.billing.factories import new_party, posted_invoice, posted_payment, posted_return
from tests.billing.pages.conftest import business_queries
from tests.factories import DocumentFactory

URL = reverse("billing:balances")


def rows(*rows, initial=None):
    """The formset as the page sends it: a row is (party, opening, date)."""
    data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows)}
    for number, (party, opening, day) in enumerate(rows):
        before = (initial or {}).get(party, ("", ""))
        data |= {
            f"form-{number}-party": getattr(party, "pk", party),
            f"form-{number}-opening": opening,
            f"form-{number}-opening_date": day,
            f"initial-form-{number}-opening": before[0],
            f"initial-form-{number}-opening_date": before[1],
        }
    return data


def body(response):
    return response.content.decode()


def opening_of(party):
    found = Balance.objects.filter(party=party).values_list("opening", "opening_date").first()
    return found and (found[0], found[1])


class TestReading:
    def test_it_shows_each_partys_account(self, viewer, party):
        posted_invoice(party, "150")
        posted_payment(party, "40")
        posted_return(party, "10")
        said = body(viewer.get(URL))
        for amount in ("150.00", "40.00", "10.00", "100.00"):
            assert f">{amount}<" in said

    def test_a_party_without_a_posting_is_there_too(self, viewer, party):
        assert party.name in body(viewer.get(URL))

    def test_over_the_credit_limit_is_marked(self, viewer, company, party):
        party.credit_limit = Decimal(100)
        party.save()
        posted_invoice(party, "100")
        assert ">over<" not in body(viewer.get(URL))
        posted_invoice(party, "0.01")
        assert ">over<" in body(viewer.get(URL))

    def test_the_newest_ready_statement_is_linked(self, viewer, party, company):
        old, new = (
            DocumentFactory.create(
                company=company,
                subject_id=party.pk,
                period_start=date(2026, month, 1),
                period_end=date(2026, month, 28),
                ready=True,
            )
            for month in (1, 2)
        )
        DocumentFactory.create(
            company=company,
            subject_id=party.pk,
            period_end=date(2026, 3, 28),
            state=DocumentState.QUEUED,
        )
        said = body(viewer.get(URL))
        assert new.get_absolute_url() in said
        assert old.get_absolute_url() not in said

    def test_a_party_off_the_lists_stays_for_as_long_as_it_owes(self, viewer, company, party):
        posted_invoice(party, "5")
        party.is_active = False
        party.save()
        settled = new_party(company, code="P2", name="Long Gone", is_active=False)
        said = body(viewer.get(URL))
        assert party.name in said
        assert settled.name not in said

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=quay", {"P1"}),
            ("q=P2", {"P2"}),
            ("standing=owing", {"P1"}),
            ("standing=credit", {"P2"}),
            ("standing=even", {"P3"}),
            ("standing=over", set()),
            ("q=nobody", set()),
        ],
    )
    def test_it_can_be_narrowed(self, viewer, company, party, query, found):
        posted_invoice(party, "5")
        posted_payment(new_party(company, code="P2", name="Beta"), "5")
        new_party(company, code="P3", name="Gamma")
        said = body(viewer.get(f"{URL}?{query}"))
        shown = {code for code in ("P1", "P2", "P3") if f'class="code">{code}<' in said}
        assert shown == found

    def test_pages_follow_each_other_and_miss_nobody(self, viewer, company):
        codes = {new_party(company, code=f"Q{number:03}").code for number in range(120)}
        seen, url = [], URL
        while url:
            page = viewer.get(url).context["page"]
            seen += [party.code for party in page.rows]
            url = page.next and f"{URL}?after={page.next}"
        assert sorted(seen) == sorted(codes)
        assert seen == sorted(seen)

    def test_it_takes_two_queries_of_its_own_however_many_parties(self, viewer, company):
        for number in range(12):
            posted_invoice(new_party(company, code=f"Q{number}"), "5")
        assert len(business_queries(viewer, URL)) <= 2

    def test_the_sums_are_of_what_the_filter_leaves(self, viewer, company, party):
        posted_invoice(party, "5")
        posted_invoice(new_party(company, code="P2", name="Beta"), "7")
        totals = reverse("billing:balances_totals")
        assert "£12.00" in body(viewer.get(totals))
        assert "£7.00" in body(viewer.get(totals + "?q=Beta"))

    def test_the_export_holds_what_the_filter_leaves(self, viewer, company, party):
        posted_invoice(party, "5")
        new_party(company, code="P2", name="=1+1")
        answer = viewer.get(reverse("billing:balances_export"))
        text = b"".join(answer).decode("utf-8-sig")
        first, second = csv.DictReader(io.StringIO(text))
        assert (first["Code"], first["Current"]) == ("P1", "5")
        assert second["Party"] == "'=1+1"


class TestOpenings:
    def test_an_accountant_enters_them(self, accountant, party):
        answer = accountant.post(URL, rows((party, "412.50", "2026-01-01")))
        assert answer.status_code == 302
        assert opening_of(party) == (Decimal("412.500"), date(2026, 1, 1))
        assert Balance.objects.get(party=party).current == Decimal("412.5")

    def test_a_credit_is_negative(self, accountant, party):
        accountant.post(URL, rows((party, "-30", "2026-01-01")))
        assert opening_of(party)[0] == -30

    def test_emptied_it_is_nothing(self, accountant, party):
        set_opening(party=party, opening=Decimal(5), opening_date=date(2026, 1, 1), by=None)
        answer = accountant.post(
            URL, rows((party, "", ""), initial={party: ("5.00", "2026-01-01")})
        )
        assert answer.status_code == 302
        assert opening_of(party) == (0, None)

    def test_what_was_not_touched_is_not_turned_back(self, accountant, party, company):
        """Somebody else changed the first row since this page was drawn."""
        other = new_party(company, code="P2")
        set_opening(party=party, opening=Decimal(9), opening_date=date(2026, 1, 1), by=None)
        accountant.post(URL, rows((party, "", ""), (other, "4", "2026-01-02")))
        assert opening_of(party)[0] == 9
        assert opening_of(other)[0] == 4

    @pytest.mark.parametrize(
        ("opening", "day", "error"),
        [
            ("5", "", "needs its date"),
            ("0.005", "2026-01-01", "no such fraction"),
            ("1,00", "2026-01-01", "no commas"),
            ("NaN", "2026-01-01", "plain number"),
            ("Infinity", "2026-01-01", "plain number"),
            ("1e308", "2026-01-01", "plain number"),
            ("--5", "2026-01-01", "plain number"),
            ("١٢", "2026-01-01", "plain number"),
            ("9" * 40, "2026-01-01", "digits"),
            ("999999999999999", "2026-01-01", "less than"),
            ("5", "2026-02-30", "2026-10-31"),
            ("5", "tomorrow", "2026-10-31"),
        ],
    )
    def test_what_makes_no_sense_is_refused_beside_its_field(
        self, accountant, party, opening, day, error
    ):
        answer = accountant.post(URL, rows((party, opening, day)))
        assert answer.status_code == 200
        assert error in body(answer)
        assert "field-error" in body(answer)
        assert opening_of(party) in (None, (0, None))

    def test_a_date_in_the_future_is_refused(self, accountant, party, company):
        day = (today(company) + timedelta(days=1)).isoformat()
        assert "in the future" in body(accountant.post(URL, rows((party, "5", day))))

    def test_closed_books_are_named_with_their_date(self, accountant, party, company):
        company.books_closed_until = date(2026, 1, 31)
        company.save()
        said = body(accountant.post(URL, rows((party, "5", "2026-01-31"))))
        assert "closed up to 2026-01-31" in said
        assert opening_of(party) in (None, (0, None))

    def test_saved_as_it_was_nothing_has_changed(self, accountant, party):
        said = body(accountant.post(URL, rows((party, "", "")), follow=True))
        assert "Nothing had changed." in said
        assert opening_of(party) is None

    def test_one_wrong_row_saves_none(self, accountant, party, company):
        other = new_party(company, code="P2")
        day = (today(company) + timedelta(days=1)).isoformat()
        answer = accountant.post(URL, rows((party, "5", "2026-01-01"), (other, "6", day)))
        assert answer.status_code == 200
        assert opening_of(party) in (None, (0, None))

    def test_a_party_named_twice_is_refused(self, accountant, party):
        answer = accountant.post(URL, rows((party, "5", "2026-01-01"), (party, "6", "2026-01-01")))
        assert "twice" in body(answer)

    def test_a_party_of_another_company_is_not_found(self, accountant, db):
        other = new_party(member_company())
        assert accountant.post(URL, rows((other, "5", "2026-01-01"))).status_code == 404
        assert accountant.post(URL, rows((uuid4(), "5", "2026-01-01"))).status_code == 404
        assert opening_of(other) is None

    @pytest.mark.parametrize("data", [{}, {"form-TOTAL_FORMS": "x"}, {"form-TOTAL_FORMS": "9999"}])
    def test_a_mangled_form_is_no_500(self, accountant, party, data):
        assert accountant.post(URL, data).status_code == 200
        assert accountant.post(URL, rows(("no id", "5", "2026-01-01"))).status_code == 200

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK])
    def test_lower_roles_read_but_do_not_change(self, as_role, party, role):
        client = as_role(role)
        said = body(client.get(URL))
        assert "Save opening" not in said
        assert 'type="date"' not in said
        assert client.post(URL, rows((party, "5", "2026-01-01"))).status_code == 403


def test_a_stranger_sees_none_of_it(stranger, party):
    assert party.name not in body(stranger.get(URL))
    assert stranger.post(URL, rows((party, "5", "2026-01-01"))).status_code == 404


@pytest.mark.parametrize("name", ["balances", "balances_totals", "balances_export"])
def test_nobody_else_gets_in(anonymous, name):
    answer = anonymous.get(reverse(f"billing:{name}"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def member_company():
    from tests.factories import CompanyFactory

    return CompanyFactory.create()
