"""Parties: entered, found, shown with what they owe, put out of use and back."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import Party
from billing.services import set_opening
from tests.billing.factories import DAY, new_party, posted_invoice, posted_payment, posted_return
from tests.billing.pages.conftest import business_queries
from tests.factories import CompanyFactory, DocumentFactory

LIST, CREATE = reverse("billing:party_list"), reverse("billing:party_create")


def at(name, party):
    return reverse(f"billing:party_{name}", args=[party.pk])


def typed(**fields):
    return {"code": "C-1", "name": "Harbour Stores", "payment_terms_days": "21"} | fields


def codes(client, **query):
    return [row.code for row in client.get(LIST, query).context["page"].rows]


def said(response):
    return " | ".join(str(message) for message in response.context["messages"])


def test_a_party_is_entered_and_changed(clerk, company):
    clerk.post(CREATE, typed(country="gb", locale="en-GB", credit_limit="500"))
    party = Party.objects.get()
    assert (party.company, party.country, party.locale) == (company, "GB", "en_GB")
    assert (party.payment_terms_days, party.credit_limit) == (21, 500)
    response = clerk.post(at("edit", party), typed(name="Harbour & Sons"))
    assert response["Location"] == party.get_absolute_url()
    assert Party.objects.get().name == "Harbour & Sons"
    assert Party.objects.get().credit_limit is None


def test_the_company_s_terms_are_offered(clerk, company):
    company.payment_terms_days = 45
    company.save()
    assert 'value="45"' in clerk.get(CREATE).content.decode()


@pytest.mark.parametrize(
    ("field", "text", "wrong"),
    [
        ("code", "", "required"),
        ("code", "P1", "already"),
        ("code", "x" * 61, "at most 60"),
        ("name", "", "required"),
        ("name", "a\0", "Null characters"),
        ("name", "x" * 200_000, "at most 200"),
        ("email", "nobody", "valid email"),
        ("country", "1!", "two capital letters"),
        ("locale", "xx_YY_zz", "not a known locale"),
        ("payment_terms_days", "-1", "greater than or equal to 0"),
        ("payment_terms_days", "1e308", "whole number"),
        ("credit_limit", "NaN", "plain number"),
        ("credit_limit", "0.005", "no such fraction"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(clerk, party, field, text, wrong):
    response = clerk.post(CREATE, typed(**{field: text}))
    assert response.status_code == 200
    assert wrong in " ".join(response.context["form"].errors[field])
    assert f'id="id_{field}-errors"' in response.content.decode()
    assert Party.objects.count() == 1


def test_two_companies_may_use_the_same_code(clerk, company):
    new_party(CompanyFactory.create(), code="C-1")
    clerk.post(CREATE, typed())
    assert Party.objects.filter(company=company, code="C-1").exists()


def test_nobody_types_company_or_use(clerk, company):
    other = CompanyFactory.create()
    clerk.post(CREATE, typed(company=str(other.pk), is_active="", name="🙂 <b>\u202e"))
    party = Party.objects.get()
    assert (party.company, party.is_active, party.name) == (company, True, "🙂 <b>\u202e")
    assert "🙂 &lt;b&gt;" in clerk.get(party.get_absolute_url()).content.decode()


def test_the_list_is_searched_and_shows_balances(viewer, company, party):
    new_party(company, code="Q7", name="Harbour Stores")
    new_party(company, code="Z9", name="Gone", is_active=False)
    posted_invoice(party, "120")
    assert codes(viewer) == ["P1", "Q7"]
    assert codes(viewer, q="harb") == ["Q7"]
    assert codes(viewer, q="p1") == ["P1"]
    assert codes(viewer, active="inactive") == ["Z9"]
    assert codes(viewer, active="all", sort="-code") == ["Z9", "Q7", "P1"]
    assert "£120.00" in viewer.get(LIST).content.decode()
    assert "£120.00" in viewer.get(reverse("billing:party_totals")).content.decode()
    export = b"".join(viewer.get(reverse("billing:party_export"))).decode()
    assert "P1" in export
    assert "Z9" not in export


def test_the_page_shows_what_is_owed(clerk, party):
    invoice = posted_invoice(party, "120")
    body = clerk.get(at("detail", party)).content.decode()
    for text in ("Quayside Provisions", str(invoice), "£120.00", "Apply credit", "14 days"):
        assert text in body


def test_unapplied_credit_is_shown_with_its_sources(viewer, party):
    payment, returned = posted_payment(party, "15"), posted_return(party, "4")
    set_opening(party=party, opening=Decimal(-6), opening_date=DAY, by=None)
    body = viewer.get(at("credit", party)).content.decode()
    for text in ("£25.00", str(payment), str(returned), "£15.00", "£4.00", "£6.00"):
        assert text in body
    assert "Apply" not in body  # a viewer only reads


@pytest.mark.parametrize(("opening", "said"), [("9", "£9.00"), ("40", "£15.00")])
def test_credit_says_what_it_pays_of_the_opening_balance(viewer, party, opening, said):
    posted_payment(party, "15")
    set_opening(party=party, opening=Decimal(opening), opening_date=DAY, by=None)
    body = viewer.get(at("credit", party)).content.decode()
    assert f'the opening balance is paid with</span> <span class="figures">{said}</span>' in body


def test_the_latest_papers_are_of_this_party(viewer, company, party):
    DocumentFactory.create(company=company, recipient_id=party.pk, title="Statement of March")
    DocumentFactory.create(company=company, title="Somebody else's")
    body = viewer.get(at("papers", party)).content.decode()
    assert "Statement of March" in body
    assert "Somebody" not in body


def test_the_history_tells_of_changes(clerk, party):
    clerk.post(at("edit", party), typed(code="P1", name="Quayside Ltd"))
    assert "Quayside Ltd" in clerk.get(at("history", party)).content.decode()


def test_who_owes_more_than_the_limit_is_marked_in_the_list(viewer, party):
    party.credit_limit = Decimal(100)
    party.save()
    posted_invoice(party, "100")
    assert "Over the credit limit" not in viewer.get(LIST).content.decode()
    posted_invoice(party, "0.01")
    assert "Over the credit limit" in viewer.get(LIST).content.decode()


def test_an_address_that_nobody_touched_is_no_change(clerk, party):
    """A browser ends the lines of a text area by CR and LF."""
    typed_again = party.address.replace("\n", "\r\n")
    clerk.post(at("edit", party), typed(code="P1", name="Quayside Ltd", address=typed_again))
    party.refresh_from_db()
    assert party.name == "Quayside Ltd"
    assert party.address == "1 High Street\nBristol"


def test_an_accountant_puts_it_out_of_use_and_back(accountant, party):
    assert "inactive" in said(accountant.post(at("deactivate", party), follow=True))
    assert not Party.all_objects.get().is_active
    assert accountant.get(at("detail", party)).status_code == 200
    response = accountant.post(
        reverse("billing:payment_create"),
        {"party": str(party.pk), "amount": "1", "payment_date": "2026-03-10", "method": "cash"},
    )
    assert "no such party" in response.context["form"].errors["party"][0]
    assert "active again" in said(accountant.post(at("activate", party), follow=True))
    assert Party.objects.exists()


def test_a_party_that_owes_stays_in_use(accountant, party):
    posted_invoice(party, "120")
    assert "not zero" in said(accountant.post(at("deactivate", party), follow=True))
    assert Party.objects.get().is_active


def test_a_stranger_finds_nothing(stranger, party):
    for name in ("detail", "edit", "credit", "papers", "history"):
        assert stranger.get(at(name, party)).status_code == 404
    for name in ("edit", "deactivate", "activate"):
        assert stranger.post(at(name, party), typed()).status_code == 404
    assert "Quayside" not in stranger.get(LIST).content.decode()


def test_roles(viewer, clerk, anonymous, party):
    assert viewer.get(at("detail", party)).status_code == 200
    for url in (CREATE, at("edit", party)):
        assert viewer.get(url).status_code == 403
        assert viewer.post(url, typed()).status_code == 403
    for name in ("deactivate", "activate"):
        assert clerk.post(at(name, party)).status_code == 403
    for url in (LIST, CREATE, at("detail", party)):
        assert anonymous.get(url)["Location"].startswith(reverse("account_login"))


def test_the_queries_stay_few(clerk, company, party):
    for number in range(4):
        posted_invoice(new_party(company, code=f"N{number}"), "5")
        posted_invoice(party, "5")
    assert len(business_queries(clerk, LIST)) <= 2
    assert len(business_queries(clerk, at("detail", party))) <= 2
    assert len(business_queries(clerk, at("edit", party))) <= 2
    for name in ("credit", "papers"):
        assert len(business_queries(clerk, at(name, party))) <= 2
