"""How the company sells, how its numbers look, and the closing of its books."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Role
from billing.dates import today
from billing.models import Series
from billing.numbering import fiscal_year
from billing.services.balances import set_opening
from tests.billing.factories import draft_invoice, posted_invoice

SELLING = reverse("billing:settings_selling")
NUMBERS = reverse("billing:settings_numbers")
EXAMPLES = reverse("billing:settings_numbers_examples")
BOOKS = reverse("billing:settings_books")


@pytest.fixture
def owner(as_role):
    return as_role(Role.OWNER)


def body(response):
    assert response.status_code == 200
    return response.content.decode()


def selling(**changes):
    return {
        "currency": "GBP",
        "fiscal_year_start_month": "4",
        "tax_rates": "20\n5 %\n7.70\n0",
        "total_rounding_step": "0.05",
        "payment_terms_days": "14",
        "terms": "Net 14.",
    } | changes


class TestSelling:
    def test_an_owner_changes_it(self, owner, company):
        answer = owner.post(SELLING, selling(prices_include_tax="on"))
        assert answer.status_code == 302
        company.refresh_from_db()
        assert company.tax_rates == ["20", "5", "7.7", "0"]
        assert (company.total_rounding_step, company.payment_terms_days) == (Decimal("0.05"), 14)
        assert company.prices_include_tax
        assert company.fiscal_year_start_month == 4
        assert "7.7" in body(owner.get(SELLING))

    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("currency", "XQZ", "ISO 4217"),
            ("currency", "CLF", "CLF has more than 3 digits after the point"),
            ("tax_rates", "20\n101", "between 0 and 100"),
            ("tax_rates", "7,7", "is no rate"),
            ("tax_rates", "NaN", "between 0 and 100"),
            ("tax_rates", "Infinity", "between 0 and 100"),
            ("tax_rates", "-1", "between 0 and 100"),
            ("tax_rates", "٢٠", "is no rate"),
            ("tax_rates", "1.00001", "4 decimals"),
            ("tax_rates", "\n".join(map(str, range(25))), "At most 20"),
            ("total_rounding_step", "0.003", "multiple of 0.01"),
            ("total_rounding_step", "-1", "negative"),
            ("total_rounding_step", "1e5", "plain number"),
            ("payment_terms_days", "-1", "greater than or equal"),
            ("payment_terms_days", "99999", "less than or equal"),
            ("fiscal_year_start_month", "13", "valid choice"),
            ("payment_url_pattern", "http://pay.example/{number}", "https:// first"),
            ("payment_url_pattern", "javascript:alert({number})", "https:// first"),
            ("payment_url_pattern", "https://pay.example/{total}{number}", "{total} is unknown"),
            ("payment_url_pattern", "https://pay.example/{number", "is unknown"),
            ("payment_url_pattern", "https://{number}.example/", "The host must be the same"),
            ("payment_url_pattern", "https://pay.example/{amount}", "which invoice is paid"),
            ("payment_url_pattern", f"https://pay.example/{'w' * 300}{{number}}", "at most 300"),
            ("terms", "w" * 200_000, "at most 5000"),
            ("terms", "a\x00b", "Null characters"),
        ],
    )
    def test_what_makes_no_sense_is_refused_beside_its_field(
        self, owner, company, field, value, error
    ):
        said = body(owner.post(SELLING, selling(**{field: value})))
        assert error in said
        company.refresh_from_db()
        assert company.payment_terms_days == 30

    def test_the_currency_stays_once_something_is_entered(self, owner, company, party):
        assert owner.post(SELLING, selling(currency="eur")).status_code == 302
        company.refresh_from_db()
        assert company.currency == "EUR"
        draft_invoice(party, "1")
        assert "kept in EUR" in body(owner.post(SELLING, selling(currency="GBP")))
        assert owner.post(SELLING, selling(currency="EUR")).status_code == 302

    def test_an_opening_balance_is_something_entered(self, owner, company, party):
        set_opening(party=party, opening=Decimal(5), opening_date=date(2026, 1, 1), by=None)
        assert "kept in GBP" in body(owner.post(SELLING, selling(currency="EUR")))

    def test_a_payment_link_is_kept_and_can_be_taken_back(self, owner, company):
        link = "https://pay.example/?ref={number}&amount={amount}%20{currency}"
        assert owner.post(SELLING, selling(payment_url_pattern=link)).status_code == 302
        company.refresh_from_db()
        assert company.payment_url_pattern == link
        assert "ref={number}" in body(owner.get(SELLING))
        assert owner.post(SELLING, selling()).status_code == 302
        company.refresh_from_db()
        assert company.payment_url_pattern == ""

    def test_nothing_else_can_be_slipped_in(self, owner, company):
        owner.post(SELLING, selling(legal_name="Mine", books_closed_until="2030-01-01"))
        company.refresh_from_db()
        assert (company.legal_name, company.books_closed_until) == ("Northgate Giftware Ltd", None)


class TestNumbers:
    def test_the_next_invoice_follows_the_pattern(self, owner, company, party):
        assert owner.post(NUMBERS, {"INV": "R/{yy}/{number:04}"}).status_code == 302
        company.refresh_from_db()
        assert company.number_patterns == {"INV": "R/{yy}/{number:04}"}
        party.refresh_from_db()
        assert posted_invoice(party, "1").invoice_number == "R/26/0001"

    def test_an_emptied_pattern_is_the_default_again(self, owner, company):
        company.number_patterns = {"INV": "X-{year}-{number}"}
        company.save()
        owner.post(NUMBERS, {"INV": ""})
        company.refresh_from_db()
        assert company.number_patterns == {}

    def test_examples_are_made_as_one_types_and_nothing_is_saved(self, owner, company):
        said = body(owner.post(EXAMPLES, {"INV": "R/{year}/{number:03}", "PAY": "no number"}))
        assert f"R/{fiscal_year(company, today(company))}/042" in said
        assert "A pattern holds {number} once." in said
        assert "RET-" in said
        company.refresh_from_db()
        assert company.number_patterns == {}
        assert owner.get(EXAMPLES).status_code == 405

    @pytest.mark.parametrize(
        ("pattern", "error"),
        [
            ("INV-{year}", "{number} once"),
            ("INV-{number}", "{year} or {yy}"),
            ("{year}{number}{number}", "{number} once"),
            ("{year.__class__}{number}", "Write {year}"),
            ("a b {year}{number}", "no spaces"),
            ("x" * 70 + "{year}{number}", "longer than"),
        ],
    )
    def test_a_pattern_that_would_not_do_is_refused(self, owner, company, pattern, error):
        assert error in body(owner.post(NUMBERS, {"INV": pattern}))
        company.refresh_from_db()
        assert company.number_patterns == {}

    def test_two_series_never_print_the_same_number(self, owner):
        said = body(owner.post(NUMBERS, {"INV": "N{year}-{number}", "RET": "N{year}-{number}"}))
        assert "Another series" in said
        assert "Another series" in body(owner.post(NUMBERS, {"INV": "PAY-{year}-{number:05}"}))

    def test_every_series_has_its_field(self, owner):
        said = body(owner.get(NUMBERS))
        assert all(f'name="{series.value}"' in said for series in Series)


class TestBooks:
    def test_an_accountant_closes_and_opens_them(self, accountant, company):
        assert accountant.post(BOOKS, {"until": "2026-01-31"}).status_code == 302
        company.refresh_from_db()
        assert company.books_closed_until == date(2026, 1, 31)
        assert "2026-01-31" in body(accountant.get(BOOKS))
        accountant.post(BOOKS, {"until": ""})
        company.refresh_from_db()
        assert company.books_closed_until is None

    @pytest.mark.parametrize("until", ["2026-02-30", "soon", "9999-99-99", "0001-01-01"])
    def test_what_is_no_day_is_refused(self, accountant, company, until):
        assert "field-error" in body(accountant.post(BOOKS, {"until": until}))
        company.refresh_from_db()
        assert company.books_closed_until is None

    def test_the_future_is_refused(self, accountant, company):
        tomorrow = (today(company) + timedelta(days=1)).isoformat()
        assert "in the future" in body(accountant.post(BOOKS, {"until": tomorrow}))

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK])
    def test_lower_roles_do_not(self, as_role, company, role):
        client = as_role(role)
        assert client.get(BOOKS).status_code == 403
        assert client.post(BOOKS, {"until": "2026-01-31"}).status_code == 403
        company.refresh_from_db()
        assert company.books_closed_until is None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK, Role.ACCOUNTANT])
@pytest.mark.parametrize("url", [SELLING, NUMBERS])
def test_selling_and_numbers_are_the_owners(as_role, role, url):
    client = as_role(role)
    assert client.get(url).status_code == 403
    assert client.post(url, selling()).status_code == 403
    assert client.post(EXAMPLES, {}).status_code == 403


def test_a_stranger_changes_their_own(stranger, company):
    stranger.post(BOOKS, {"until": "2026-01-31"})
    stranger.post(NUMBERS, {"INV": "X-{year}-{number}"})
    company.refresh_from_db()
    assert (company.books_closed_until, company.number_patterns) == (None, {})


@pytest.mark.parametrize("url", [SELLING, NUMBERS, BOOKS])
def test_anonymous_signs_in(anonymous, url):
    assert anonymous.get(url)["Location"].startswith(reverse("account_login"))


def test_the_change_is_in_the_trail(owner, company):
    from billing.audit import history_of

    owner.post(NUMBERS, {"INV": "R-{year}-{number}"})
    newest = history_of(company).first()
    assert "number_patterns" in newest.changes
    assert newest.actor is not None
