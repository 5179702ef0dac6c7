"""The buttons of a run's page: who may press them, what they do, and when they are there."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from documents.models import Batch, BatchJob, BatchState, Delivery, Document
from tests.documents.pages.conftest import signed_in
from tests.documents.runs import add_papers, run_with, states_of
from tests.factories import BatchFactory, BatchJobFactory, member

CLERKS = [
    "pause",
    "resume",
    "cancel",
    "retry",
    "make_zip",
    "make_merged",
    "cancel_zip",
    "cancel_merged",
]
ALL = [*CLERKS, "send"]


def url(name, batch):
    return reverse(f"documents:batch_{name}", args=[batch.pk])


@pytest.fixture
def batch(company):
    batch = run_with(2, company=company)
    add_papers(batch, 1, "failed")
    return batch


def press(client, batch, name, **data):
    response = client.post(url(name, batch), data, follow=True)
    assert response.redirect_chain[0][0] == batch.get_absolute_url()
    return [str(message) for message in response.context["messages"]]


def test_a_run_is_paused_and_resumed(client, batch):
    assert press(client, batch, "pause") == ["Paused: 2 papers wait until the run is resumed."]
    assert states_of(batch) == {"held": 2, "failed": 1}
    assert press(client, batch, "resume") == ["The run goes on."]
    assert states_of(batch) == {"queued": 2, "failed": 1}


def test_a_run_is_cancelled_and_made_after_all(client, batch):
    assert press(client, batch, "cancel") == ["Cancelled, with 2 papers that were not made yet."]
    assert press(client, batch, "retry") == ["1 queued again."]
    assert states_of(batch) == {"queued": 1, "cancelled": 2}
    assert press(client, batch, "retry", cancelled="1") == ["2 queued again."]


def test_one_paper_is_told_as_one(client, company):
    batch = run_with(1, company=company)
    Batch.objects.update(planned_at=batch.created_at)
    [said] = press(client, batch, "send")
    assert said.startswith("1 e-mail is on its way.")
    assert press(client, batch, "cancel") == ["Cancelled, with 1 paper that was not made yet."]


def test_what_is_refused_is_said(client, batch):
    press(client, batch, "pause")
    assert press(client, batch, "pause") == ["It is paused already."]


def test_the_papers_are_sent(client, batch):
    Batch.objects.update(planned_at=batch.created_at)
    press(client, batch, "send")
    assert Delivery.objects.filter(batch=batch).count() == 3
    batch.refresh_from_db()
    assert batch.send


def test_who_watches_the_planning_has_the_menu_to_send_already(client, company):
    batch = BatchFactory.create(company=company, state=BatchState.PLANNING, planned_at=None)
    assert "Send by e-mail" in client.get(batch.get_absolute_url()).content.decode()
    assert press(client, batch, "send") == [
        "It is not planned yet: wait until its papers are known."
    ]


@pytest.mark.parametrize("name", ALL)
def test_pressing_is_by_post_only(client, batch, name):
    assert client.get(url(name, batch)).status_code == 405
    assert states_of(batch) == {"queued": 2, "failed": 1}


@pytest.mark.parametrize("name", ALL)
def test_without_its_token_a_press_does_nothing(batch, owner, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner.user)
    assert client.post(url(name, batch)).status_code == 403
    assert states_of(batch) == {"queued": 2, "failed": 1}


@pytest.mark.parametrize("name", ALL)
def test_who_may_only_look_presses_nothing(viewer_client, batch, name):
    assert viewer_client.post(url(name, batch)).status_code == 403
    assert states_of(batch) == {"queued": 2, "failed": 1}


def test_a_clerk_may_not_send(company, batch):
    clerk = signed_in(member(Role.CLERK, company=company))
    assert clerk.post(url("send", batch)).status_code == 403
    assert press(clerk, batch, "pause")
    assert "Send by e-mail" not in clerk.get(batch.get_absolute_url()).content.decode()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OWNER])
def test_a_stranger_finds_nothing_to_press(batch, name, role):
    assert signed_in(member(role)).post(url(name, batch)).status_code == 404
    assert states_of(batch) == {"queued": 2, "failed": 1}


@pytest.mark.parametrize("name", ALL)
def test_the_anonymous_sign_in_first(batch, name):
    response = Client().post(url(name, batch))
    assert response["Location"].endswith(f"next={batch.get_absolute_url()}")


def buttons(client, batch):
    response = client.get(batch.get_absolute_url())
    body = response.content.decode()
    names = ("pause", "resume", "cancel", "retry", "make_cancelled", "plan")
    return {name for name in names if f'id="do-{name}"' in body}


@pytest.mark.parametrize(
    ("state", "paused", "shown"),
    [
        ("running", False, {"pause", "cancel", "retry"}),
        ("running", True, {"resume", "cancel", "retry"}),
        ("done", False, {"retry"}),
    ],
)
def test_only_buttons_that_make_sense_are_there(client, batch, state, paused, shown):
    Batch.objects.update(state=state, is_paused=paused)
    assert buttons(client, batch) == shown


def test_a_run_that_could_not_be_planned_can_be_planned_again(client, company):
    batch = BatchFactory.create(company=company, state=BatchState.CANCELLED, planned_at=None)
    BatchJobFactory.create(batch=batch, state="failed", failure="Balances do not reconcile.")
    assert buttons(client, batch) == {"plan"}
    assert press(client, batch, "retry") == ["The run is planned again."]
    batch.refresh_from_db()
    assert batch.state == BatchState.PLANNING
    assert BatchJob.objects.get().state == "queued"


def test_who_may_only_look_sees_no_button(viewer_client, batch):
    assert buttons(viewer_client, batch) == set()


def test_a_page_that_is_polled_is_the_same_until_something_changes(client, batch, heard):
    """The token of a form is another each time: no form may be in what is polled."""
    first = client.get(batch.get_absolute_url())
    again = client.get(first.context["poll_url"])
    assert not again.context["changed"]
    Document.objects.filter(state="queued").update(held=True)
    assert client.get(first.context["poll_url"]).context["changed"]


def test_what_became_of_each_e_mail_stands_in_its_row(client, batch):
    Batch.objects.update(planned_at=batch.created_at)
    press(client, batch, "send")
    Delivery.objects.filter(document__state="queued").update(
        state="sent", address="a@example.org", failure=""
    )
    body = client.get(batch.get_absolute_url()).content.decode()
    assert "<strong>2</strong> e-mails sent" in body
    found = client.get(batch.get_absolute_url(), {"state": "mail-sent"})
    assert len(found.context["page"].rows) == 2
    failed = client.get(batch.get_absolute_url(), {"state": "mail-failed"})
    assert len(failed.context["page"].rows) == 1
