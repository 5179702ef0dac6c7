"""Saving a party: a code is one party's, however many are at it."""

import pytest
from django.db import IntegrityError

from billing.models import Party
from billing.services import parties
from billing.services.parties import save_party
from tests.billing.factories import PartyFactory, new_party
from tests.billing.services.entering import refusal

pytestmark = pytest.mark.django_db
TAKEN = ("code", "There is a party with this code already.")


def another(party, **fields):
    """Not saved."""
    return PartyFactory.build(company=party.company, **{"code": party.code, **fields})


@pytest.mark.parametrize("is_active", [True, False])
def test_a_code_that_is_taken_is_refused(party, is_active):
    Party.objects.update(is_active=is_active)
    assert refusal(lambda: save_party(party=another(party), by=None)) == TAKEN
    assert Party.all_objects.count() == 1


def test_a_party_keeps_its_own_code(party):
    party.name = "Harbour & Hill"
    save_party(party=party, by=None)
    assert Party.objects.get().name == "Harbour & Hill"


def test_of_two_at_once_the_second_is_refused_in_the_same_words(company, monkeypatch):
    acting = parties.acting

    def overtaken(by):
        new_party(company, "P1", name="First")
        return acting(by)

    monkeypatch.setattr(parties, "acting", overtaken)
    second = PartyFactory.build(company=company, code="P1", name="Second")
    assert refusal(lambda: save_party(party=second, by=None)) == TAKEN
    assert Party.objects.get().name == "First"


def test_another_clash_is_not_taken_for_one_of_codes(party):
    with pytest.raises(IntegrityError):
        save_party(party=another(party, pk=party.pk, code="P2"), by=None)
