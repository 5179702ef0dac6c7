"""Drafts: entered, changed, copied, deleted, and refused with the field named."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import NON_FIELD_ERRORS

from billing.dates import today
from billing.models import (
    Balance,
    Challan,
    ChallanState,
    Invoice,
    InvoiceItem,
    InvoiceState,
    NumberSequence,
)
from billing.services import (
    copy_invoice,
    delete_draft,
    invoice_challans,
    issue_invoice,
    preview_totals,
    save_draft,
    void_invoice,
)
from billing.services.challan_states import challans_not_taken_over
from tests.billing.factories import DAY, new_party
from tests.billing.services.entering import (
    D,
    delivered_challan,
    entered,
    issued,
    item,
    new_draft,
    refusal,
    refused_for,
)
from tests.factories import CompanyFactory, UserFactory

pytestmark = pytest.mark.django_db


class TestSaving:
    def test_a_new_draft_has_its_items_its_totals_and_no_number(self, party):
        by = UserFactory.create()
        made = save_draft(
            invoice=new_draft(party),
            items=[item("9.99", "3", "20"), item("50", tax="5", discount_percent=D("12.5"))],
            by=by,
        )
        saved = Invoice.objects.get(pk=made.pk)
        assert (saved.state, saved.invoice_number) == (InvoiceState.DRAFT, "")
        assert saved.created_by == by
        lines = [(line.position, line.net) for line in saved.items.all()]
        assert lines == [(1, D("29.97")), (2, D("43.75"))]
        assert (saved.subtotal, saved.tax, saved.total) == (D("73.72"), D("8.18"), D("81.90"))
        assert not NumberSequence.objects.exists()
        assert not Balance.objects.filter(party=party).exists()

    def test_items_are_replaced_at_positions_one_to_n(self, party):
        draft = entered(party, item("1"), item("2"), item("3"))
        kept = list(draft.items.all())[::-1][:2]
        save_draft(invoice=draft, items=kept, by=None)
        lines = draft.items.values_list("position", "unit_price")
        assert list(lines) == [(1, D(3)), (2, D(2))]
        assert Invoice.objects.get(pk=draft.pk).total == 5
        assert InvoiceItem.objects.count() == 2

    def test_a_draft_may_be_empty_and_a_thousand_items_long(self, party):
        draft = save_draft(invoice=new_draft(party), items=[], by=None)
        assert draft.total == 0
        save_draft(invoice=draft, items=[item("1") for _ in range(1000)], by=None)
        assert Invoice.objects.get(pk=draft.pk).total == 1000

    def test_a_thousand_and_one_items_are_too_many(self, party):
        draft = new_draft(party)
        field, message = refusal(
            lambda: save_draft(invoice=draft, items=[item("1")] * 1001, by=None)
        )
        assert field == NON_FIELD_ERRORS
        assert "1,000" in message

    def test_the_due_date_is_the_partys_terms_after_the_invoices(self, party):
        party.payment_terms_days = 14
        party.save()
        assert entered(party).due_date == DAY + timedelta(days=14)
        assert entered(party, due_date=DAY).due_date == DAY

    def test_a_new_draft_takes_over_how_the_company_sells(self, company, party):
        company.prices_include_tax = True
        company.total_rounding_step = D("0.05")
        company.currency = "EUR"
        company.save()
        draft = entered(party, item("9.99", tax="20"), currency="GBP", prices_include_tax=False)
        assert (draft.currency, draft.prices_include_tax) == ("EUR", True)
        assert (draft.rounding, draft.total) == (D("0.01"), D("10.00"))
        company.prices_include_tax = False
        company.save()
        draft = Invoice.objects.get(pk=draft.pk)
        again = save_draft(invoice=draft, items=list(draft.items.all()), by=None)
        assert again.prices_include_tax  # it was drafted so

    def test_it_cannot_be_made_to_be_issued_paid_or_deleted(self, party):
        draft = entered(
            party,
            state=InvoiceState.PAID,
            invoice_number="INV-1",
            paid=D(100),
            total=D(9),
            is_active=False,
        )
        saved = Invoice.objects.get(pk=draft.pk)
        assert (saved.state, saved.invoice_number, saved.paid) == (InvoiceState.DRAFT, "", 0)
        assert saved.total == 100
        saved.state, saved.invoice_number, saved.paid = InvoiceState.PAID, "INV-1", D(100)
        save_draft(invoice=saved, items=[item("5")], by=None)
        saved = Invoice.objects.get(pk=draft.pk)
        assert (saved.state, saved.invoice_number, saved.paid) == (InvoiceState.DRAFT, "", 0)
        assert saved.total == 5

    def test_what_failed_can_be_saved_again(self, party):
        draft = new_draft(party)
        lines = [item("1", discount_amount=D(2))]
        assert refused_for(lambda: save_draft(invoice=draft, items=lines, by=None))
        lines[0].discount_amount = D(0)
        assert save_draft(invoice=draft, items=lines, by=None).total == 1
        assert Invoice.objects.count() == 1


class TestRefusals:
    def test_a_party_of_another_company(self, party):
        stranger = new_party(CompanyFactory.create())
        draft = new_draft(party)
        draft.party = stranger
        assert refused_for(lambda: save_draft(invoice=draft, items=[], by=None)) == "party"

    def test_a_party_that_was_deleted_or_left_out(self, party):
        party.is_active = False
        party.save()
        assert refused_for(lambda: entered(party)) == "party"
        draft = Invoice(company=party.company, invoice_date=DAY)
        assert refused_for(lambda: save_draft(invoice=draft, items=[], by=None)) == "party"

    def test_another_party_than_the_one_that_got_the_goods(self, company, party):
        draft = invoice_challans(challans=[delivered_challan(party)], by=None)
        draft.party = new_party(company, "P2")
        said = refusal(lambda: save_draft(invoice=draft, items=[item()], by=None))
        assert said[0] == "party"
        assert "challans of another party" in said[1]
        saved = Invoice.objects.get(pk=draft.pk)
        assert (saved.party, saved.items.get().description) == (party, "Jug")

    def test_but_a_draft_without_challans_may_get_another_party(self, company, party):
        draft = entered(party)
        draft.party = new_party(company, "P2")
        save_draft(invoice=draft, items=[item()], by=None)
        assert Invoice.objects.get(pk=draft.pk).party == draft.party

    def test_an_invoice_that_is_no_draft_any_more(self, party):
        stale = entered(party)
        issue_invoice(invoice=stale, by=None)
        assert stale.state == InvoiceState.DRAFT
        assert refused_for(lambda: save_draft(invoice=stale, items=[], by=None)) == NON_FIELD_ERRORS
        assert Invoice.objects.get(pk=stale.pk).items.count() == 1

    def test_a_due_date_before_the_invoices(self, party):
        early = DAY - timedelta(days=1)
        assert refused_for(lambda: entered(party, due_date=early)) == "due_date"

    @pytest.mark.parametrize("day", [None, date(1, 1, 1), date(9999, 12, 31)])
    def test_a_date_out_of_time(self, party, day):
        assert refused_for(lambda: entered(party, invoice_date=day)) == "invoice_date"

    @pytest.mark.parametrize("field", ["discount_amount", "shipping"])
    @pytest.mark.parametrize("amount", ["-0.01", "0.005", "NaN", "Infinity", "1e15", "1e308"])
    def test_a_document_amount_that_is_none(self, party, field, amount):
        assert refused_for(lambda: entered(party, **{field: D(amount)})) == field

    @pytest.mark.parametrize("field", ["discount_percent", "shipping_tax_rate"])
    @pytest.mark.parametrize("percent", ["-1", "100.0001", "NaN", "0.00001"])
    def test_a_percentage_that_is_none(self, party, field, percent):
        assert refused_for(lambda: entered(party, **{field: D(percent)})) == field

    def test_a_discount_of_more_than_the_invoice(self, party):
        draft = new_draft(party, discount_amount=D("100.01"))
        items = [item("100")]
        assert (
            refused_for(lambda: save_draft(invoice=draft, items=items, by=None))
            == "discount_amount"
        )

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            ({"quantity": D("-1")}, "quantity"),
            ({"quantity": D("1.0005")}, "quantity"),
            ({"quantity": D("NaN")}, "quantity"),
            ({"quantity": D("1e308")}, "quantity"),
            ({"unit_price": D("-0.01")}, "price"),
            ({"unit_price": D("0.00005")}, "unit_price"),
            ({"unit_price": D("Infinity")}, "unit_price"),
            ({"unit_price": D(10) ** 13}, "amount"),
            ({"discount_percent": D(101)}, "discount_percent"),
            ({"discount_amount": D("-1")}, "discount"),
            ({"discount_amount": D("0.005")}, "fraction"),
            ({"discount_amount": D("100.01")}, "discount"),
            ({"tax_rate": D(101)}, "tax_rate"),
            ({"description": ""}, "description"),
            ({"sku": "x" * 61}, "sku"),
            ({"unit": "x" * 21}, "unit"),
        ],
    )
    def test_an_item_that_cannot_be(self, party, options, word):
        field, message = refusal(lambda: entered(party, item(**options)))
        assert field == NON_FIELD_ERRORS
        assert word in message
        assert not Invoice.all_objects.exists()

    def test_a_total_that_no_balance_holds(self, party):
        many = [item("9999999999999") for _ in range(2)]
        assert "10,000,000,000,000 or more" in refusal(lambda: entered(party, *many))[1]

    def test_minus_zero_is_zero(self, party):
        draft = entered(party, item("-0", "-0"), discount_amount=D("-0"))
        assert str(Invoice.objects.get(pk=draft.pk).total) == "0.000"

    def test_text_is_kept_as_it_is(self, party):
        text = "<script>alert(1)</script> \u202e 🕯 " + "w" * 200_000
        draft = entered(party, item(description=text))
        assert InvoiceItem.objects.get(invoice=draft).description == text


class TestPreviewing:
    def test_it_is_what_would_be_saved_and_saves_nothing(self, company, party):
        company.total_rounding_step, company.prices_include_tax = D("0.05"), True
        company.save()
        items = [item("9.99", "3", "20"), item("1.11", tax="5")]
        options = {"discount_percent": D(3), "shipping": D(4), "shipping_tax_rate": D(20)}
        totals = preview_totals(invoice=new_draft(party, **options), items=items)
        assert not Invoice.all_objects.exists()
        saved = entered(party, *items, **options)
        for name in ("subtotal", "discount", "net", "tax", "rounding", "total"):
            assert getattr(saved, name) == getattr(totals, name)

    def test_it_needs_no_party_yet(self, company):
        draft = Invoice(company=company, invoice_date=DAY)
        assert preview_totals(invoice=draft, items=[item("5")]).total == 5

    def test_what_cannot_be_computed_is_refused(self, party):
        draft = new_draft(party)
        lines = [item("1e308", "1e308")]
        assert "Item 1" in refusal(lambda: preview_totals(invoice=draft, items=lines))[1]


class TestCopying:
    def test_a_void_invoice_comes_back_as_a_draft_of_today(self, company, party):
        invoice = issued(party, item("10", "2", "20"), discount_percent=D(5), notes="By hand")
        void_invoice(invoice=invoice, reason="Wrong party", by=None)
        copied = copy_invoice(invoice=invoice, by=None)
        assert copied.pk != invoice.pk
        assert (copied.state, copied.invoice_number, copied.void_reason) == ("draft", "", "")
        assert copied.invoice_date == today(company)
        assert copied.due_date == today(company) + timedelta(days=party.payment_terms_days)
        assert (copied.total, copied.notes) == (invoice.total, "By hand")
        assert invoice.items.count() == copied.items.count() == 1

    def test_what_is_corrected_by_void_and_copy_bills_its_challans_once(self, company, party):
        challan = delivered_challan(party)
        draft = invoice_challans(challans=[challan], by=None)
        draft.notes = f"By hand\n{draft.notes}"
        save_draft(invoice=draft, items=list(draft.items.all()), by=None)
        issued_ = issue_invoice(invoice=draft, by=None)
        beside = copy_invoice(
            invoice=issued_, by=None
        )  # which is billed, so the copy names nothing
        assert (beside.notes, beside.challans.count()) == ("By hand", 0)
        void_invoice(invoice=issued_, reason="Wrong price", by=None)
        copied = copy_invoice(invoice=issued_, by=None)
        assert (copied.notes, list(copied.challans.all())) == (issued_.notes, [challan])
        assert refusal(lambda: invoice_challans(challans=[challan], by=None))
        assert copy_invoice(invoice=issued_, by=None).notes == "By hand"

    @pytest.mark.parametrize("notes", ["", "Delivered with {}. Thank you.", "Geliefert mit {}."])
    def test_whatever_became_of_the_note_its_challans_are_billed_once(self, party, notes):
        challan = delivered_challan(party)
        draft = invoice_challans(challans=[challan], by=None)
        draft.notes = notes.format(challan)
        save_draft(invoice=draft, items=list(draft.items.all()), by=None)
        bill = issue_invoice(invoice=draft, by=None)
        void_invoice(invoice=bill, reason="Wrong price", by=None)
        copied = copy_invoice(invoice=bill, by=None)
        assert (copied.notes, list(copied.challans.all())) == (draft.notes, [challan])
        assert refusal(lambda: invoice_challans(challans=[challan], by=None))

    def test_a_note_by_hand_takes_no_challan(self, party):
        challan = delivered_challan(party)
        bill = issued(party, notes=f"Delivered with {challan}.")
        copied = copy_invoice(invoice=bill, by=None)
        assert (copied.notes, copied.challans.count()) == (bill.notes, 0)
        assert Challan.objects.get(pk=challan.pk).state == ChallanState.DELIVERED

    def test_all_of_its_challans_or_none(self, party):
        one, other = (delivered_challan(party) for _ in range(2))
        bill = issue_invoice(invoice=invoice_challans(challans=[one, other], by=None), by=None)
        void_invoice(invoice=bill, reason="Wrong price", by=None)
        again = invoice_challans(challans=[other], by=None)
        copied = copy_invoice(invoice=bill, by=None)
        assert (copied.notes, copied.challans.count()) == ("", 0)
        assert challans_not_taken_over(source=bill, copied=copied) == [one, other]
        delete_draft(invoice=again, by=None)  # which frees the other one
        copied = copy_invoice(invoice=bill, by=None)
        assert copied.notes == f"Delivered with {one}, {other}."
        assert challans_not_taken_over(source=bill, copied=copied) == []

    def test_with_one_key_it_is_one_draft(self, party):
        bill, key = issued(party), uuid4()
        one, two = (copy_invoice(invoice=bill, by=None, key=key) for _ in range(2))
        assert one.pk == two.pk == key
        assert copy_invoice(invoice=bill, by=None).pk != key

    def test_a_key_that_is_used_up_or_foreign_is_not_taken(self, party):
        bill = issued(party)
        gone = copy_invoice(invoice=bill, by=None, key=uuid4())
        delete_draft(invoice=gone, by=None)
        foreign = issued(new_party(CompanyFactory.create()))
        for key in (gone.pk, foreign.pk):
            copied = copy_invoice(invoice=bill, by=None, key=key)
            assert copied.pk != key
            assert copied.company == party.company

    def test_notes_that_name_no_challan_stay(self, party):
        invoice = issued(party, notes="Delivered with our own van.")
        assert copy_invoice(invoice=invoice, by=None).notes == "Delivered with our own van."

    def test_prices_are_as_they_were_in_it(self, company, party):
        invoice = issued(party, item("120", tax="20"))
        company.prices_include_tax = True
        company.save()
        assert copy_invoice(invoice=invoice, by=None).total == invoice.total == 144

    def test_not_for_a_party_that_was_deleted(self, party):
        invoice = issued(party)
        party.is_active = False
        party.save()
        assert refused_for(lambda: copy_invoice(invoice=invoice, by=None)) == "party"


class TestDeleting:
    def test_it_is_gone_and_its_challans_may_be_invoiced_again(self, party):
        challan = delivered_challan(party)
        draft = invoice_challans(challans=[challan], by=None)
        delete_draft(invoice=draft, by=None)
        assert not Invoice.objects.filter(pk=draft.pk).exists()
        assert not Invoice.all_objects.get(pk=draft.pk).is_active
        freed = Challan.objects.get(pk=challan.pk)
        assert (freed.state, freed.invoice) == (ChallanState.DELIVERED, None)
        assert invoice_challans(challans=[freed], by=None).items.count() == 1

    def test_what_is_issued_is_not_deleted(self, party):
        invoice = issued(party)
        assert "Only a draft" in refusal(lambda: delete_draft(invoice=invoice, by=None))[1]
        assert Invoice.objects.filter(pk=invoice.pk).exists()

    def test_a_deleted_one_is_neither_saved_nor_issued_nor_deleted_again(self, party):
        draft = entered(party)
        delete_draft(invoice=draft, by=None)
        draft = Invoice.all_objects.get(pk=draft.pk)
        for action in (
            lambda: save_draft(invoice=draft, items=[item()], by=None),
            lambda: issue_invoice(invoice=draft, by=None),
            lambda: delete_draft(invoice=draft, by=None),
        ):
            assert "Only a draft" in refusal(action)[1]


def test_a_draft_in_a_currency_that_the_company_left_is_not_issued(company, party):
    draft = entered(party)
    company.currency = "EUR"
    company.save()
    draft = Invoice.objects.get(pk=draft.pk)
    assert "save it again" in refusal(lambda: issue_invoice(invoice=draft, by=None))[1]
    draft = save_draft(invoice=draft, items=[item("5")], by=None)
    assert issue_invoice(invoice=draft, by=None).total == Decimal(5)
