"""The admin: all companies' records, deleted ones too, and nothing that posts."""

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

from billing.models import (
    Allocation,
    Balance,
    Challan,
    ChallanItem,
    Invoice,
    NumberSequence,
    Party,
    Payment,
    Return,
)
from tests.billing.factories import (
    DAY,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
)
from tests.factories import CompanyFactory, UserFactory, member

pytestmark = pytest.mark.django_db

POSTED = [Invoice, Payment, Return, Challan, Balance, Allocation, NumberSequence]


@pytest.fixture
def operator():
    """Of the site: a member of no company."""
    client = Client()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def books(party):
    invoice = posted_invoice(party, "100")
    posted_payment(party, "40", invoice=invoice)
    posted_return(party, "5")
    challan = Challan.objects.create(
        company=party.company, party=party, challan_number="CH-1", challan_date=DAY
    )
    ChallanItem.objects.create(challan=challan, position=1, description="Board", quantity=1)
    return invoice


def url(model, what, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def body(response):
    assert response.status_code == 200
    return response.content.decode()


def test_every_record_has_its_place():
    assert {Party, *POSTED} <= set(site._registry)


@pytest.mark.parametrize("model", [Party, *POSTED])
def test_lists_searches_and_pages_open(operator, books, model):
    assert "paginator" in body(operator.get(url(model, "changelist")))
    operator.get(url(model, "changelist") + "?q=P1")
    rows = getattr(model, "all_objects", model.objects).all()
    assert body(operator.get(url(model, "change", rows[0].pk)))


@pytest.mark.parametrize("model", POSTED)
def test_nothing_is_posted_changed_or_deleted_there(operator, books, model):
    row = getattr(model, "all_objects", model.objects).all()[0]
    assert operator.get(url(model, "add")).status_code == 403
    assert operator.post(url(model, "change", row.pk), {"company": ""}).status_code == 403
    assert operator.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", [Party, Invoice, Payment, Return, Challan])
def test_deleted_rows_stand_there_and_can_be_told_apart(operator, books, model):
    row = model.objects.all()[0]
    model.all_objects.filter(pk=row.pk).update(is_active=False)
    assert not model.objects.filter(pk=row.pk).exists()
    address = url(model, "changelist")
    for query, count in (("", 1), ("?is_active__exact=0", 1), ("?is_active__exact=1", 0)):
        found = operator.get(address + query).context["cl"].result_list
        assert len(found) == count, query
    assert body(operator.get(url(model, "change", row.pk)))


def test_a_deleted_party_is_restored_there_and_not_moved(operator, party):
    party.is_active = False
    party.save()
    other = CompanyFactory.create()
    data = {
        name: getattr(party, name)
        for name in ("code", "name", "email", "phone", "address", "country", "tax_id", "locale")
    }
    data |= {"payment_terms_days": 30, "is_active": "on", "company": other.pk}
    assert operator.post(url(Party, "change", party.pk), data).status_code == 302
    party.refresh_from_db()
    assert party.is_active
    assert party.company != other


def test_a_list_takes_the_same_queries_for_one_row_as_for_many(
    operator, company, django_assert_max_num_queries
):
    for number in range(20):
        posted_invoice(new_party(company, code=f"Q{number}"), "5")
    operator.get(url(Invoice, "changelist"))
    with django_assert_max_num_queries(8):
        body(operator.get(url(Invoice, "changelist")))


def test_owners_of_a_company_are_no_operators(db):
    client = Client()
    client.force_login(member().user)
    assert client.get(url(Invoice, "changelist")).status_code == 302
