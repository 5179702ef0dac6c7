"""A party that is out of use owes nothing and is owed nothing: no statement would say so."""

import pytest

from billing.models import Balance, Party
from billing.services import (
    balances,
    delete_return,
    invoices,
    issue_invoice,
    payments,
    record_payment,
    set_opening,
    void_payment,
)
from billing.services.parties import activate_party, deactivate_party
from tests.billing.books import assert_reconciled
from tests.billing.factories import (
    DAY,
    draft_invoice,
    new_party,
    posted_invoice,
    posted_payment,
    returned_item,
)
from tests.billing.services.entering import D, refusal
from tests.worker.racing import at_once


def balance_of(party):
    return Balance.objects.get(party=party).current


@pytest.mark.django_db
class TestWhatIsTakenBack:
    @pytest.fixture
    def paid(self, party):
        """The payment of all that the party owed, which is out of use since."""
        payment = posted_payment(party, "10", invoice=posted_invoice(party, "10"))
        deactivate_party(party=party, by=None)
        return payment

    def test_is_refused_by_name_until_the_party_is_in_use_again(self, company, party, paid):
        said = refusal(lambda: void_payment(payment=paid, reason="Bounced", by=None))[1]
        assert said == (
            "The party P1 is inactive, and would get no statement of its balance: activate it "
            "first."
        )
        assert balance_of(party) == 0
        activate_party(party=party, by=None)
        void_payment(payment=paid, reason="Bounced", by=None)
        assert balance_of(party) == 10
        assert_reconciled(company)

    def test_what_is_of_another_party_is_taken(self, company, paid):
        other = new_party(company, "P2")
        assert posted_payment(other, "5").party == other
        assert balance_of(other) == -5

    def test_so_is_an_opening_balance(self, party, paid):
        change = {"party": party, "opening": D(5), "opening_date": DAY, "by": None}
        assert "P1 is inactive" in refusal(lambda: set_opening(**change))[1]
        assert balance_of(party) == 0

    def test_what_brings_the_balance_to_nothing_is_taken(self, party):
        """As of a party of older books, from before this was looked at."""
        bill = posted_invoice(party, "10")
        back = returned_item(bill, "1")
        Party.objects.filter(pk=party.pk).update(is_active=False)
        assert refusal(lambda: delete_return(return_document=back, by=None))
        Balance.objects.filter(party=party).update(opening=-10, current=-10)
        delete_return(return_document=back, by=None)
        assert balance_of(party) == 0


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    @pytest.fixture(params=["invoice", "payment"])
    def posting(self, request, party, monkeypatch):
        """What posts something for the party, which is put out of use after all was looked at."""
        module = invoices if request.param == "invoice" else payments
        draft, move = draft_invoice(party, "10"), module.move_balances

        def move_after_it(**options):
            [party_now] = at_once(
                lambda: deactivate_party(party=Party.objects.get(pk=party.pk), by=None)
            )
            assert party_now.is_active is False
            move(**options)

        def post():
            monkeypatch.setattr(module, "move_balances", move_after_it)
            if request.param == "invoice":
                return issue_invoice(invoice=draft, by=None)
            return record_payment(party=party, amount=D(10), payment_date=DAY, by=None)

        return post

    def test_one_of_the_two_is_refused(self, company, party, posting):
        assert "is inactive" in refusal(posting)[1]
        assert balance_of(party) == 0
        assert_reconciled(company)

    def test_control_without_a_second_look_it_owes_or_is_owed(self, party, posting, monkeypatch):
        monkeypatch.setattr(balances, "_require_in_use", lambda company, balances: None)
        posting()
        assert balance_of(party) != 0
        assert not Party.all_objects.get(pk=party.pk).is_active
