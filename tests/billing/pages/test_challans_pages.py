"""Challans: entered, delivered, cancelled, and turned into one invoice."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.dates import today
from billing.models import Challan, ChallanItem, ChallanState, Invoice
from billing.services import close_books, deliver_challan, save_challan
from documents.models import Document
from tests.billing.factories import DAY, new_party
from tests.billing.pages.conftest import business_queries
from tests.billing.pages.typed import lines
from tests.factories import CompanyFactory

LIST, CREATE = reverse("billing:challan_list"), reverse("billing:challan_create")
BULK = reverse("billing:challan_bulk")
GOODS = {"description": "Oak board", "quantity": "3", "unit": "pcs", "unit_price": "10"}

BLANK = {"quantity": "1", "tax_rate": "20"}  # as it is drawn


def at(name, challan):
    return reverse(f"billing:challan_{name}", args=[challan.pk])


def typed(party, /, *rows, **fields):
    header = {"party": str(party.pk) if party else "", "challan_date": "2026-03-10"}
    return header | lines(*(rows or (GOODS,))) | fields


def new_challan(party, *, delivered=False, day=DAY, **fields):
    challan = Challan(company=party.company, party=party, challan_date=day, **fields)
    item = ChallanItem(description="Oak board", quantity=Decimal(3), unit_price=Decimal(10))
    made = save_challan(challan=challan, items=[item], by=None)
    return deliver_challan(challan=made, delivered_on=day, by=None) if delivered else made


def said(response):
    return " | ".join(str(message) for message in response.context["messages"])


def test_a_challan_is_entered_with_its_items(clerk, party):
    response = clerk.post(CREATE, typed(party, vehicle="KA-01", driver="Ravi", place="Dock 4"))
    challan = Challan.objects.get()
    assert response["Location"] == challan.get_absolute_url()
    assert (challan.state, challan.vehicle, challan.place) == ("open", "KA-01", "Dock 4")
    assert challan.challan_number.startswith("CH")
    item = challan.items.get()
    assert (item.quantity, item.unit, item.unit_price) == (3, "pcs", 10)


def test_a_price_is_not_needed(clerk, party):
    clerk.post(CREATE, typed(party, {"description": "Box", "quantity": "1"}))
    assert ChallanItem.objects.get().unit_price == 0


@pytest.mark.parametrize(
    ("field", "text", "wrong"),
    [
        ("party", "", "Choose a party"),
        ("challan_date", "", "required"),
        ("challan_date", "x", "Write the date as"),
        ("vehicle", "v" * 61, "at most 60"),
        ("driver", "a\0", "Null characters"),
        ("place", "p" * 200_000, "at most 1000"),
    ],
)
def test_a_wrong_field_is_named(clerk, party, field, text, wrong):
    response = clerk.post(CREATE, typed(party, **{field: text}))
    assert wrong in " ".join(response.context["form"].errors[field])
    assert f'id="id_{field}-errors"' in response.content.decode()
    assert not Challan.objects.exists()


@pytest.mark.parametrize("text", ["NaN", "1e308", "1,00", "-1", "١٢", "0.0005"])
def test_a_wrong_quantity_is_named_in_its_line(clerk, party, text):
    response = clerk.post(CREATE, typed(party, GOODS | {"quantity": text}))
    assert response.context["lines"].forms[0].errors["quantity"]
    assert not Challan.objects.exists()


def test_a_challan_needs_an_item(clerk, party):
    response = clerk.post(CREATE, typed(party, BLANK))
    assert "at least one item" in " ".join(response.context["form"].non_field_errors())


def test_five_thousand_lines_are_refused_clearly(clerk, party):
    response = clerk.post(CREATE, typed(party, *[GOODS] * 5000))
    assert response.status_code == 200
    assert "at most 1,000 lines" in response.content.decode()


def test_closed_books_are_named(clerk, company, party):
    close_books(company=company, until=DAY, by=None)
    response = clerk.post(CREATE, typed(party))
    assert "books are closed" in response.context["form"].errors["challan_date"][0]


def test_nobody_types_state_number_or_invoice(clerk, party):
    clerk.post(
        CREATE, typed(party, state="delivered", challan_number="X", delivered_on="2026-03-10")
    )
    challan = Challan.objects.get()
    assert (challan.state, challan.delivered_on) == ("open", None)
    assert challan.challan_number != "X"


def test_an_open_one_is_changed_and_keeps_its_number(clerk, party):
    challan = new_challan(party)
    assert "Oak board" in clerk.get(at("edit", challan)).content.decode()
    clerk.post(at("edit", challan), typed(party, GOODS | {"quantity": "7"}, driver="Asha"))
    changed = Challan.objects.get()
    assert (changed.driver, changed.challan_number) == ("Asha", challan.challan_number)
    assert changed.items.get().quantity == 7


def test_what_is_delivered_is_changed_no_more(clerk, party):
    challan = new_challan(party, delivered=True)
    assert clerk.get(at("edit", challan)).status_code == 409
    assert clerk.post(at("edit", challan), typed(party)).status_code == 409


def test_it_is_delivered_on_a_day(clerk, party):
    challan = new_challan(party)
    clerk.post(at("deliver", challan), {"delivered_on": "2026-03-11"})
    challan.refresh_from_db()
    assert (challan.state, challan.delivered_on) == ("delivered", date(2026, 3, 11))


@pytest.mark.parametrize(
    ("day", "wrong"),
    [
        ("2199-01-01", "in the future"),
        ("2026-03-09", "before the challan's"),
        ("soon", "Write the date as"),
        ("", "required"),
    ],
)
def test_a_wrong_day_of_delivery_is_said(clerk, party, day, wrong):
    challan = new_challan(party)
    response = clerk.post(at("deliver", challan), {"delivered_on": day}, follow=True)
    assert wrong in said(response)
    challan.refresh_from_db()
    assert challan.state == "open"


def test_an_accountant_cancels_with_a_reason(accountant, party):
    challan = new_challan(party)
    assert "reason" in said(accountant.post(at("cancel", challan), follow=True))
    response = accountant.post(at("cancel", challan), {"reason": "Lorry broke"}, follow=True)
    assert "is cancelled" in said(response)
    assert "Lorry broke" in response.content.decode()
    response = accountant.post(at("cancel", challan), {"reason": "x"}, follow=True)
    assert "only be done while" in said(response)


def test_several_become_one_draft_and_never_twice(clerk, party):
    one, two = new_challan(party, delivered=True), new_challan(party, delivered=True)
    data = {"action": "invoice", "ids": [str(one.pk), str(two.pk)]}
    response = clerk.post(BULK, data)
    draft = Invoice.objects.get()
    assert response["Location"] == draft.get_absolute_url()
    assert draft.items.count() == 2
    assert set(Challan.objects.values_list("state", flat=True)) == {ChallanState.INVOICED}
    response = clerk.post(BULK, data, follow=True)
    assert "No draft was made" in said(response)
    assert "is invoiced" in said(response)
    assert Invoice.objects.count() == 1


def test_papers_of_the_ticked_are_asked_for(clerk, party, queues):
    challans = [new_challan(party), new_challan(party, delivered=True)]
    data = {"action": "paper", "ids": [str(challan.pk) for challan in challans]}
    assert "Make PDFs: 2 done." in said(clerk.post(BULK, data, follow=True))
    asked = Document.objects.filter(kind="challan").values_list("subject_id", flat=True)
    assert set(asked) == {challan.pk for challan in challans}
    assert not Invoice.objects.exists()


def test_of_no_challan_no_invoice_is_made(clerk):
    assert "Tick the rows first." in said(clerk.post(BULK, {"action": "invoice"}, follow=True))
    assert not Invoice.objects.exists()


def test_challans_of_several_parties_are_refused(clerk, company, party):
    one = new_challan(party, delivered=True)
    two = new_challan(new_party(company, code="P2"), delivered=True)
    data = {"action": "invoice", "ids": [str(one.pk), str(two.pk)]}
    assert "several parties" in said(clerk.post(BULK, data, follow=True))
    assert not Invoice.objects.exists()


def test_an_open_one_is_not_invoiced(clerk, party):
    data = {"action": "invoice", "ids": [str(new_challan(party).pk)]}
    assert "only delivered ones" in said(clerk.post(BULK, data, follow=True))


def test_the_list_is_narrowed_and_exported(viewer, company, party):
    new_challan(party, vehicle="KA-01")
    other = new_party(company, code="Q", name="Harbour")
    new_challan(other, delivered=True, day=DAY + timedelta(days=2), reference="=PO")
    for query in (
        {"q": "harb"},
        {"q": "=po"},
        {"state": "delivered"},
        {"party": str(other.pk)},
        {"since": str(DAY + timedelta(days=1))},
    ):
        rows = viewer.get(LIST, query).context["page"].rows
        assert [row.party_id for row in rows] == [other.pk], query
    assert len(viewer.get(LIST, {"q": "ka-0"}).context["page"].rows) == 1
    assert "'=PO" in b"".join(viewer.get(reverse("billing:challan_export"))).decode()


def test_prices_stay_off_the_paper(viewer, party):
    challan = new_challan(party)
    paper = viewer.get(reverse("billing:paper_preview", args=["challan", challan.pk]))
    assert "Oak board" in paper.content.decode()
    assert "10.00" not in paper.content.decode()


def test_ids_of_another_company_lead_nowhere(stranger, clerk, party):
    challan = new_challan(party, delivered=True)
    for name in ("detail", "edit", "history"):
        assert stranger.get(at(name, challan)).status_code == 404
    for name in ("deliver", "cancel"):
        assert stranger.post(at(name, challan), {"reason": "x"}).status_code == 404
    bulk = {"action": "invoice", "ids": [str(challan.pk)]}
    assert stranger.post(BULK, bulk).status_code == 404
    foreign = new_party(CompanyFactory.create(), code="X")
    response = clerk.post(CREATE, typed(foreign))
    assert "no such party" in response.context["form"].errors["party"][0]
    mixed = {"action": "invoice", "ids": [str(challan.pk), str(new_challan(foreign).pk)]}
    assert clerk.post(BULK, mixed).status_code == 404
    assert not Invoice.objects.exists()


def test_roles(viewer, clerk, anonymous, party):
    challan = new_challan(party)
    assert viewer.get(at("detail", challan)).status_code == 200
    for url in (CREATE, at("edit", challan)):
        assert viewer.get(url).status_code == 403
    assert viewer.post(at("deliver", challan), {"delivered_on": "2026-03-10"}).status_code == 403
    bulk = {"action": "invoice", "ids": [str(challan.pk)]}
    assert viewer.post(BULK, bulk).status_code == 403
    assert clerk.post(at("cancel", challan), {"reason": "x"}).status_code == 403
    for url in (LIST, CREATE, at("detail", challan)):
        assert anonymous.get(url)["Location"].startswith(reverse("account_login"))


def test_the_queries_stay_few(clerk, company):
    for number in range(4):
        challan = new_challan(new_party(company, code=f"N{number}"), delivered=True)
    assert len(business_queries(clerk, LIST)) <= 3
    assert len(business_queries(clerk, at("detail", challan))) <= 2
    assert len(business_queries(clerk, CREATE)) <= 2
    assert today(company)
