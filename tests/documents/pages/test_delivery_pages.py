"""The list of e-mails, one of them, and what a person decides."""

from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from documents.models import Delivery, DeliveryState
from documents.services.deliveries import request_deliveries
from documents.views.deliveries import MOST_TICKED
from tests.documents.mail import delivery_to, keep_book, make, paper_for
from tests.documents.pages.conftest import signed_in
from tests.factories import BatchItemFactory, member

LIST = "/documents/deliveries/"
DECIDE = f"{LIST}decide/"


@pytest.fixture
def book(monkeypatch):
    return keep_book(monkeypatch)


@pytest.fixture
def delivery(book, company):
    return delivery_to(book, "ap@harbour.example", company)


@pytest.fixture
def clerk_client(company):
    return signed_in(member(Role.CLERK, company=company))


def become(delivery: Delivery, state: str, **fields: object) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(state=state, failure="why", **fields)
    delivery.refresh_from_db()
    return delivery


def decide(client: Client, delivery: Delivery, action: str, **more: object):
    return client.post(DECIDE, {"ids": delivery.pk, "action": action, **more}, follow=True)


def state(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


def test_the_list_shows_each_with_its_state_address_and_reason(client, delivery):
    become(delivery, "failed")
    body = client.get(LIST).content.decode()
    assert "not sent" in body
    assert "ap@harbour.example" in body
    assert "why" in body


def test_an_email_says_that_it_waits_for_its_paper(client, book, company):
    request_deliveries(documents=[paper_for(book, company, "ap@harbour.example")], by=None)
    assert "waiting for its paper" in client.get(LIST).content.decode()
    assert (
        "waiting for its paper"
        in client.get(Delivery.objects.get().get_absolute_url()).content.decode()
    )


def test_an_empty_list_says_what_to_do(client):
    assert "Send a paper from its page" in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [("state=queued", 1), ("state=sent", 0), ("q=harbour.ex", 1), ("q=nobody", 0), ("q=Hill", 1)],
)
def test_the_list_is_narrowed(client, delivery, query, found):
    body = client.get(f"{LIST}?{query}").content.decode()
    assert body.count('class="clip row-link"') == found


def test_the_list_is_narrowed_to_a_run_and_to_a_party(client, delivery, book):
    other = delivery_to(book, "b@example.org", delivery.company, name="Other")
    item = BatchItemFactory.create(batch__company=delivery.company, document=delivery.document)
    Delivery.objects.filter(pk=delivery.pk).update(batch=item.batch)
    for query in (f"run={item.batch.pk}", f"party={delivery.recipient_id}"):
        body = client.get(f"{LIST}?{query}").content.decode()
        assert str(delivery.pk) in body
        assert str(other.pk) not in body


def test_the_list_costs_the_same_for_many(client, book, company):
    become(delivery_to(book, "a@example.org", company, name="P"), "sent")
    few = queries_of(client)
    for place in range(6):
        become(delivery_to(book, "a@example.org", company, name=f"P{place}"), "sent")
    assert queries_of(client) == few == 5


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)
    return len(queries)


def test_the_page_of_one_shows_the_message_and_who_decided(client, delivery, owner):
    become(delivery, "unknown", handing_over_at="2026-01-01T00:00Z")
    decide(client, delivery, "arrived")
    body = client.get(delivery.get_absolute_url()).content.decode()
    assert delivery.subject.replace("&", "&amp;") in body
    assert delivery.message_id in body
    assert "perhaps sent" in body
    assert str(owner.user) in body


# --- Deciding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("arrived", "unknown", "sent"),
        ("again", "unknown", "queued"),
        ("came-back", "unknown", "bounced"),
        ("came-back", "sent", "bounced"),
        ("again", "failed", "queued"),
        ("again", "bounced", "queued"),
        ("cancel", "queued", "cancelled"),
        # What a decision is not about stays as it is.
        ("arrived", "failed", "failed"),
        ("again", "sent", "sent"),
        ("again", "running", "running"),
        ("came-back", "queued", "queued"),
        ("cancel", "sent", "sent"),
        ("cancel", "running", "running"),
    ],
)
def test_each_decision_is_about_certain_states(client, delivery, owner, action, before, after):
    become(delivery, before)
    decide(client, delivery, action, reason="550 no such user")
    assert state(delivery) == after
    told = LogEntry.objects.filter(object_pk=str(delivery.pk), actor=owner.user).count()
    assert told == (before != after)


def test_sent_again_keeps_its_message_id_and_has_all_its_attempts(client, delivery):
    become(delivery, "unknown", handing_over_at="2026-01-01T00:00Z", attempts=9)
    decide(client, delivery, "again")
    row = Delivery.objects.get()
    assert (row.message_id, row.attempts) == (delivery.message_id, 0)
    assert (row.handing_over_at, row.held) == (None, False)
    assert Delivery.claim(row.pk) is not None


def test_what_came_back_needs_a_reason(client, delivery):
    become(delivery, "sent")
    response = decide(client, delivery, "came-back", reason="  ")
    assert "Say what the notice said" in response.content.decode()
    assert state(delivery) == "sent"
    decide(client, delivery, "came-back", reason="550 mailbox full")
    assert Delivery.objects.get().failure == "It came back: 550 mailbox full"


def test_a_clerk_sends_the_unsent_again_but_decides_nothing(clerk_client, delivery):
    become(delivery, "failed")
    decide(clerk_client, delivery, "again")
    assert state(delivery) == "queued"
    become(delivery, "unknown")
    decide(clerk_client, delivery, "again")
    assert state(delivery) == "unknown"
    for action in ("arrived", "came-back"):
        assert decide(clerk_client, delivery, action, reason="x").status_code == 403
    assert "It arrived" not in clerk_client.get(f"{LIST}?state=unknown").content.decode()


def test_a_viewer_may_look_and_not_decide(viewer_client, delivery):
    assert viewer_client.get(LIST).status_code == 200
    assert viewer_client.get(delivery.get_absolute_url()).status_code == 200
    assert decide(viewer_client, delivery, "cancel").status_code == 403
    assert 'name="ids"' not in viewer_client.get(LIST).content.decode()


def test_a_stranger_finds_nothing_and_changes_nothing(stranger_client, delivery):
    assert stranger_client.get(delivery.get_absolute_url()).status_code == 404
    assert "harbour" not in stranger_client.get(LIST).content.decode()
    assert decide(stranger_client, delivery, "cancel").status_code == 404
    stranger_client.post(DECIDE, {"scope": "all", "action": "cancel"})
    assert state(delivery) == "queued"


def test_all_that_a_filter_finds_is_decided_at_once(client, delivery, book, owner):
    others = [delivery_to(book, "a@example.org", delivery.company, name=f"P{n}") for n in range(3)]
    for row in others:
        become(row, "unknown")
    with CaptureQueriesContext(connection) as queries:
        client.post(f"{DECIDE}?state=unknown", {"scope": "all", "action": "arrived"})
    assert len(queries) < 20
    assert {state(row) for row in others} == {"sent"}
    assert state(delivery) == "queued"


def test_nonsense_is_refused(client, delivery):
    assert client.post(DECIDE, {"ids": "x", "action": "again"}).status_code == 404
    assert client.post(DECIDE, {"ids": delivery.pk, "action": "burn"}).status_code == 404
    assert client.post(DECIDE, {"ids": uuid4(), "action": "again"}).status_code == 404
    assert client.get(DECIDE).status_code == 405


def test_more_than_can_be_ticked_is_refused(client, delivery):
    many = [str(delivery.pk)] * (MOST_TICKED + 1)
    assert client.post(DECIDE, {"ids": many, "action": "cancel"}).status_code == 404
    assert state(delivery) == "queued"


def test_by_a_filter_that_makes_no_sense_nothing_is_decided(client, delivery):
    url = f"{DECIDE}?run=nonsense"
    response = client.post(url, {"scope": "all", "action": "cancel"}, follow=True)
    assert "The filter makes no sense" in response.content.decode()
    assert state(delivery) == "queued"


def test_it_goes_back_to_the_list_as_it_was_and_nowhere_else(client, delivery):
    back = f"{LIST}?state=queued"
    assert client.post(DECIDE, {"action": "again", "back": back}).url == back
    for bad in ("https://evil.example/", "//evil.example", "/accounts/sign-out/"):
        assert client.post(DECIDE, {"action": "again", "back": bad}).url == LIST


# --- One paper from its page ---------------------------------------------------------------------


def send_url(document) -> str:
    return reverse("documents:send", args=[document.pk])


def test_a_paper_is_shown_before_it_is_sent(clerk_client, book, company):
    document = make(paper_for(book, company, "ap@harbour.example"))
    body = clerk_client.get(send_url(document)).content.decode()
    assert "Send to ap@harbour.example" in body
    assert "Statement Harbour &amp; Hill.pdf" in body
    assert not Delivery.objects.exists()
    response = clerk_client.post(send_url(document))
    assert response.url == Delivery.objects.get().get_absolute_url()
    again = clerk_client.post(send_url(document), follow=True)
    assert "has an e-mail already" in again.content.decode()
    assert Delivery.objects.count() == 1


def test_without_an_address_it_says_so_and_has_no_button(client, book, company):
    document = make(paper_for(book, company))
    body = client.get(send_url(document)).content.decode()
    assert "This party has no e-mail address." in body
    assert '<button class="btn btn-primary"' not in body


def test_viewers_and_strangers_send_nothing(viewer_client, stranger_client, book, company):
    document = make(paper_for(book, company, "ap@harbour.example"))
    assert viewer_client.post(send_url(document)).status_code == 403
    assert stranger_client.post(send_url(document)).status_code == 404
    assert stranger_client.get(send_url(document)).status_code == 404
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("each", DeliveryState.values)
def test_every_state_has_its_page(client, delivery, each):
    become(delivery, each)
    assert client.get(delivery.get_absolute_url()).status_code == 200
