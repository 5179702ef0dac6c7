"""Who saves what somebody else has changed meanwhile is told, and may then decide."""

import re

import pytest
from django.urls import reverse

from billing.models import Challan, Invoice, Party
from tests.billing.factories import draft_invoice
from tests.billing.pages.typed import invoice as typed
from tests.billing.pages.typed import line, lines
from tests.billing.services.entering import open_challan

CHANGED = "Somebody changed it meanwhile"


def a_draft(party):
    draft = draft_invoice(party, "10")
    return draft, typed(party, reference="PO-1"), ("reference", "PO-2")


def a_challan(party):
    data = {"party": str(party.pk), "challan_date": "2026-03-12", "vehicle": "V1"}
    return open_challan(party), data | lines(line()), ("vehicle", "V2")


def a_party(party):
    data = {"code": "P1", "name": "Quayside", "payment_terms_days": "30", "email": "a@b.example"}
    return party, data, ("name", "Harbour")


MADE = {"invoice": a_draft, "challan": a_challan, "party": a_party}
MODELS = {"invoice": Invoice, "challan": Challan, "party": Party}


def version_in(response):
    return re.search(r'name="version" value="([^"]+)"', response.content.decode())[1]


@pytest.fixture(params=MADE)
def change(request, party):
    """(model, record, address of its form, what is typed, (a field, another text for it))"""
    record, data, other = MADE[request.param](party)
    url = reverse(f"billing:{request.param}_edit", args=[record.pk])
    return MODELS[request.param], record, url, data, other


def test_the_second_of_two_is_told_and_saves_only_knowingly(clerk, change):
    model, record, url, data, (name, text) = change
    seen = version_in(clerk.get(url))
    assert clerk.post(url, data | {"version": seen}).status_code == 302
    refused = clerk.post(url, data | {"version": seen, name: text})
    assert refused.status_code == 200
    body = refused.content.decode()
    assert CHANGED in body
    assert f'value="{text}"' in body  # what was typed is there
    assert getattr(model.objects.get(pk=record.pk), name) == data[name]
    assert clerk.post(url, data | {"version": version_in(refused), name: text}).status_code == 302
    assert getattr(model.objects.get(pk=record.pk), name) == text


def test_an_error_of_ones_own_is_no_change_by_somebody_else(clerk, change):
    _, _, url, data, (name, text) = change
    seen = version_in(clerk.get(url))
    refused = clerk.post(url, data | {"version": seen, name: "x" * 5000})
    assert refused.status_code == 200
    assert CHANGED not in refused.content.decode()
    assert version_in(refused) == seen
    assert clerk.post(url, data | {"version": seen, name: text}).status_code == 302


def test_without_a_version_nothing_is_compared(clerk, change):
    model, record, url, data, (name, text) = change
    for each in (data, data | {name: text}):
        assert clerk.post(url, each).status_code == 302
    assert getattr(model.objects.get(pk=record.pk), name) == text
