"""Who saves what somebody else has changed meanwhile is told, and may then decide."""

import re
import threading

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.dummy import DummyCache
from django.test import Client
from django.urls import reverse

from billing.models import Challan, Invoice, InvoiceState, Party
from billing.views import entries, sent_forms
from tests.billing.factories import draft_invoice
from tests.billing.pages.typed import invoice as typed
from tests.billing.pages.typed import line, lines
from tests.billing.services.entering import open_challan
from tests.worker.racing import at_once

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
    return drawn_in(response)["version"]


def drawn_in(response):
    """The token and the version of a form: what is sent besides what is typed."""
    drawn = re.findall(r'name="(token|version)" value="([^"]+)"', response.content.decode())
    return dict(drawn)


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


def messages_of(client, response):
    return " ".join(
        str(message) for message in client.get(response["Location"]).context["messages"]
    )


class TestAFormThatIsSentTwice:
    """By a hand that is impatient, or since an answer was lost: nobody else changed anything."""

    def test_counts_once(self, clerk, change):
        model, record, url, data, (name, _) = change
        data |= drawn_in(clerk.get(url))
        first, second = (clerk.post(url, data | {"save": "1"}) for _ in range(2))
        assert first["Location"] == second["Location"] == record.get_absolute_url()
        assert "The form was sent twice: it counts once" in messages_of(clerk, second)
        assert getattr(model.objects.get(pk=record.pk), name) == data[name]

    def test_it_takes_nothing_back_that_somebody_changed_since(self, clerk, change):
        model, record, url, data, (name, text) = change
        data |= drawn_in(clerk.get(url))
        clerk.post(url, data)
        clerk.post(url, data | drawn_in(clerk.get(url)) | {name: text})
        assert clerk.post(url, data).status_code == 302
        assert getattr(model.objects.get(pk=record.pk), name) == text

    def test_a_change_there_and_back_and_there_again_is_made_each_time(self, clerk, change):
        model, record, url, data, (name, _) = change
        for text in (data[name], "as before", data[name], "as before"):
            drawn = drawn_in(clerk.get(url))
            assert clerk.post(url, data | drawn | {name: text}).status_code == 302
            assert getattr(model.objects.get(pk=record.pk), name) == text

    def test_what_was_typed_on_after_a_lost_answer_is_saved(self, clerk, change):
        model, record, url, data, (name, text) = change
        data |= drawn_in(clerk.get(url))
        for typed_on in (data, data | {name: text}):
            assert clerk.post(url, typed_on).status_code == 302
        assert getattr(model.objects.get(pk=record.pk), name) == text

    def test_but_not_over_what_somebody_else_changed_since(self, clerk, accountant, change):
        model, record, url, data, (name, text) = change
        data |= drawn_in(clerk.get(url))
        clerk.post(url, data)
        accountant.post(url, data | drawn_in(accountant.get(url)) | {name: "theirs"})
        assert CHANGED in clerk.post(url, data | {name: text}).content.decode()
        assert getattr(model.objects.get(pk=record.pk), name) == "theirs"

    def test_in_another_tab_it_is_another_form(self, clerk, change):
        _, _, url, data, (name, text) = change
        tabs = [drawn_in(clerk.get(url)) for _ in range(2)]
        clerk.post(url, data | tabs[0])
        assert CHANGED in clerk.post(url, data | tabs[1] | {name: text}).content.decode()

    def test_control_what_is_forgotten_is_somebody_elses(self, clerk, change):
        _, _, url, data, _ = change
        data |= drawn_in(clerk.get(url))
        clerk.post(url, data)
        sent_forms.forms.clear()
        assert CHANGED in clerk.post(url, data).content.decode()

    def test_by_somebody_else_it_is_another_form(self, clerk, change, accountant):
        _, _, url, data, _ = change
        data |= drawn_in(clerk.get(url))
        clerk.post(url, data)
        assert CHANGED in accountant.post(url, data).content.decode()

    def test_what_is_refused_is_not_remembered(self, clerk, change):
        _, _, url, data, (name, _) = change
        wrong = data | drawn_in(clerk.get(url)) | {name: "x" * 5000}
        for _ in range(2):
            assert clerk.post(url, wrong).status_code == 200

    def test_however_many_are_sent_no_count_of_guesses_is_dropped_for_them(
        self, clerk, change, monkeypatch
    ):
        _, _, url, data, (name, _) = change
        for each in (caches["default"], caches["forms"]):
            monkeypatch.setattr(each, "_max_entries", 5)
        cache.set("0", 3, 60)  # the first key that would go
        for number in range(12):
            drawn = drawn_in(clerk.get(url))
            clerk.post(url, data | drawn | {name: f"text {number}"})
        assert cache.get("0") == 3


class TestADraft:
    @pytest.fixture
    def form(self, clerk, party):
        """(the draft, its address, what is sent)"""
        draft, data, _ = a_draft(party)
        url = reverse("billing:invoice_edit", args=[draft.pk])
        return draft, url, data | drawn_in(clerk.get(url))

    def test_that_is_issued_twice_is_issued_once(self, clerk, form):
        draft, url, data = form
        first, second = (clerk.post(url, data | {"issue": "1"}) for _ in range(2))
        assert first["Location"] == second["Location"] == draft.get_absolute_url()
        draft.refresh_from_db()
        said = messages_of(clerk, second)
        assert f"Invoice {draft.invoice_number} is issued." in said
        assert "it counts once" in said

    def test_that_is_saved_and_then_issued_is_issued(self, clerk, form):
        draft, url, data = form
        for button in ("save", "issue"):
            assert clerk.post(url, data | {button: "1"}).status_code == 302
        draft.refresh_from_db()
        assert draft.state == InvoiceState.ISSUED

    def test_that_is_issued_and_then_changed_stays_as_it_is(self, clerk, form):
        draft, url, data = form
        clerk.post(url, data | {"issue": "1"})
        for other in ({"save": "1"}, {"issue": "1", "reference": "PO-9"}):
            assert clerk.post(url, data | other).status_code == 409
        draft.refresh_from_db()
        assert draft.reference == "PO-1"


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    """Four presses, each of which finds nothing remembered when it looks."""

    def press(self, clerk, monkeypatch, url, data):
        gate, save = threading.Barrier(4), entries.retry_transient

        def save_together(*arguments):
            gate.wait(10)
            return save(*arguments)

        def post():
            client = Client()
            client.cookies = clerk.cookies
            return client.post(url, data).headers.get("Location")

        data |= drawn_in(clerk.get(url))
        monkeypatch.setattr(entries, "retry_transient", save_together)
        return at_once(*[post] * 4)

    @pytest.mark.parametrize("button", ["save", "issue"])
    def test_it_counts_once_and_all_are_shown_it(self, clerk, party, monkeypatch, button):
        draft, data, _ = a_draft(party)
        url = reverse("billing:invoice_edit", args=[draft.pk])
        answers = self.press(clerk, monkeypatch, url, data | {button: "1"})
        assert answers == [draft.get_absolute_url()] * 4
        draft.refresh_from_db()
        assert draft.reference == "PO-1"

    @pytest.mark.parametrize("button", ["save", "issue"])
    def test_control_with_nothing_remembered_three_are_refused(
        self, clerk, party, monkeypatch, button
    ):
        monkeypatch.setattr(sent_forms, "forms", DummyCache("", {}))
        draft, data, _ = a_draft(party)
        url = reverse("billing:invoice_edit", args=[draft.pk])
        answers = self.press(clerk, monkeypatch, url, data | {button: "1"})
        assert answers.count(None) == 3
