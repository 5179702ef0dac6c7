"""Challans: open -> delivered -> invoiced, or cancelled; several into one draft, never twice."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import connection

from billing.dates import today
from billing.models import Challan, ChallanItem, ChallanState, Invoice
from billing.services import (
    cancel_challan,
    deliver_challan,
    invoice_challans,
    save_challan,
)
from tests.billing.factories import DAY, new_party
from tests.billing.services.entering import (
    D,
    delivered_challan,
    goods,
    open_challan,
    refusal,
    refused_for,
)
from tests.factories import CompanyFactory

pytestmark = pytest.mark.django_db


def cancelled_challan(party):
    return cancel_challan(challan=open_challan(party), reason="Ordered twice", by=None)


def invoiced_challan(party):
    challan = delivered_challan(party)
    invoice_challans(challans=[challan], by=None)
    return Challan.objects.get(pk=challan.pk)


class TestSaving:
    def test_it_has_its_number_from_the_first_and_keeps_it(self, party):
        challan = open_challan(party, goods("2"), goods("3"), vehicle="WX 12", driver="Ida")
        assert (challan.challan_number, challan.state) == ("CH-2026-00001", ChallanState.OPEN)
        challan.place = "Dock 4"
        save_challan(challan=challan, items=[goods("9")], by=None)
        saved = Challan.objects.get(pk=challan.pk)
        assert (saved.challan_number, saved.place, saved.driver) == (
            "CH-2026-00001",
            "Dock 4",
            "Ida",
        )
        assert list(saved.items.values_list("position", "quantity")) == [(1, D(9))]
        assert open_challan(party).challan_number == "CH-2026-00002"

    def test_it_cannot_be_made_to_be_invoiced_or_to_have_a_number(self, party):
        challan = open_challan(
            party, state=ChallanState.INVOICED, challan_number="X", is_active=False
        )
        saved = Challan.objects.get(pk=challan.pk)
        assert (saved.state, saved.challan_number) == (ChallanState.OPEN, "CH-2026-00001")
        saved.state, saved.challan_number = ChallanState.DELIVERED, "X"
        save_challan(challan=saved, items=[goods()], by=None)
        saved = Challan.objects.get(pk=challan.pk)
        assert (saved.state, saved.challan_number) == (ChallanState.OPEN, "CH-2026-00001")

    def test_what_failed_took_no_number_and_can_be_saved_again(self, party):
        challan = Challan(company=party.company, party=party, challan_date=DAY)
        assert refused_for(lambda: save_challan(challan=challan, items=[], by=None))
        saved = save_challan(challan=challan, items=[goods()], by=None)
        assert saved.challan_number == "CH-2026-00001"

    @pytest.mark.parametrize(
        ("options", "field"), [({"vehicle": "x" * 61}, "vehicle"), ({"day": None}, "challan_date")]
    )
    def test_a_header_that_cannot_be_is_refused(self, party, options, field):
        assert refused_for(lambda: open_challan(party, **options)) == field

    @pytest.mark.parametrize(
        "options", [{"quantity": D("-1")}, {"quantity": D("NaN")}, {"description": ""}]
    )
    def test_an_item_that_cannot_be_is_refused(self, party, options):
        assert "Item 1" in refusal(lambda: open_challan(party, made(options)))[1]

    def test_a_party_that_was_deleted_or_of_another_company_is_refused(self, company, party):
        stranger = new_party(CompanyFactory.create())
        challan = Challan(company=company, party=stranger, challan_date=DAY)
        assert (
            refused_for(lambda: save_challan(challan=challan, items=[goods()], by=None)) == "party"
        )
        party.is_active = False
        party.save()
        assert refused_for(lambda: open_challan(party)) == "party"

    @pytest.mark.parametrize("make", [delivered_challan, cancelled_challan, invoiced_challan])
    def test_only_an_open_one_is_changed(self, party, make):
        challan = make(party)
        assert (
            "Only an open"
            in refusal(lambda: save_challan(challan=challan, items=[goods()], by=None))[1]
        )


def made(options):
    return ChallanItem(**{"description": "Jug", "quantity": D(1), "unit_price": D(1), **options})


class TestArrows:
    def test_it_is_delivered_on_a_day(self, party):
        challan = delivered_challan(party)
        saved = Challan.objects.get(pk=challan.pk)
        assert (saved.state, saved.delivered_on) == (ChallanState.DELIVERED, DAY)

    def test_neither_before_it_was_written_nor_in_the_future(self, company, party):
        challan = open_challan(party)
        for day in (DAY - timedelta(days=1), today(company) + timedelta(days=1), None):
            assert (
                refused_for(lambda: deliver_challan(challan=challan, delivered_on=day, by=None))  # noqa: B023
                == "delivered_on"
            )

    @pytest.mark.parametrize("make", [open_challan, delivered_challan])
    def test_it_is_cancelled_with_a_reason(self, party, make):
        challan = make(party)
        assert refused_for(lambda: cancel_challan(challan=challan, reason=" ", by=None)) == "reason"
        cancel_challan(challan=challan, reason="Ordered twice", by=None)
        saved = Challan.objects.get(pk=challan.pk)
        assert (saved.state, saved.cancel_reason) == (ChallanState.CANCELLED, "Ordered twice")

    @pytest.mark.parametrize("make", [cancelled_challan, invoiced_challan])
    def test_a_final_one_is_neither_delivered_nor_cancelled(self, party, make):
        challan = make(party)
        for action in (
            lambda: deliver_challan(challan=challan, delivered_on=DAY, by=None),
            lambda: cancel_challan(challan=challan, reason="x", by=None),
        ):
            assert refused_for(action) == NON_FIELD_ERRORS


class TestInvoicing:
    def test_several_become_one_draft_with_their_items_in_order(self, company, party):
        later = delivered_challan(party, goods("5"), day=DAY + timedelta(days=1))
        first = delivered_challan(party, goods("1", unit="box"), goods("2", tax_rate=D(20)))
        draft = invoice_challans(challans=[later, first], by=None)
        assert [line.quantity for line in draft.items.all()] == [1, 2, 5]
        assert draft.items.all()[0].unit == "box"
        assert (draft.state, draft.invoice_date) == ("draft", today(company))
        assert draft.total == D("63.00")  # 7.50 + 15.00 + 37.50, and 20 % of 15.00
        assert draft.notes == f"Delivered with {first}, {later}."
        assert {challan.invoice for challan in Challan.objects.all()} == {draft}

    @pytest.mark.parametrize("make", [open_challan, cancelled_challan, invoiced_challan])
    def test_only_delivered_ones_and_then_none_of_the_others(self, party, make):
        other = make(party)
        drafts = Invoice.objects.count()
        good = delivered_challan(party)
        both = [good, other]
        assert "only delivered" in refusal(lambda: invoice_challans(challans=both, by=None))[1]
        assert Challan.objects.get(pk=good.pk).state == ChallanState.DELIVERED
        assert Invoice.objects.count() == drafts

    def test_neither_of_several_parties_nor_none(self, company, party):
        two = [delivered_challan(party), delivered_challan(new_party(company, "P2"))]
        assert "several parties" in refusal(lambda: invoice_challans(challans=two, by=None))[1]
        assert "at least one" in refusal(lambda: invoice_challans(challans=[], by=None))[1]

    def test_not_of_another_company_under_the_flag_of_ones_own(self, party):
        foreign = delivered_challan(new_party(CompanyFactory.create()))
        own = delivered_challan(party)
        assert "deleted" in refusal(lambda: invoice_challans(challans=[own, foreign], by=None))[1]

    def test_no_more_than_an_invoice_holds(self, party):
        many = [goods() for _ in range(600)]
        two = [delivered_challan(party, *many) for _ in range(2)]
        assert "1,000" in refusal(lambda: invoice_challans(challans=two, by=None))[1]
        assert not Invoice.all_objects.exists()

    def test_the_same_one_named_twice_is_taken_once(self, party):
        challan = delivered_challan(party)
        assert invoice_challans(challans=[challan, challan], by=None).items.count() == 1


def test_the_upgrade_notes_which_invoice_bills_each(party):
    """Before it only the present one was kept."""
    challan, _free = invoiced_challan(party), delivered_challan(party)
    Challan.billed_by.through.objects.all().delete()
    upgrade = import_module("billing.migrations.0008_challans_billed_by")
    upgrade.note_present(apps, SimpleNamespace(connection=connection))
    links = Challan.billed_by.through.objects.values_list("challan", "invoice")
    assert list(links) == [(challan.pk, Challan.objects.get(pk=challan.pk).invoice_id)]
