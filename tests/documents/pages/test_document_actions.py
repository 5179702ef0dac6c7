"""The buttons of the document centre: for ticked rows, and for all that a filter finds."""

from urllib.parse import urlsplit

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from documents.models import Document, DocumentState
from tests.documents.pages.conftest import signed_in
from tests.factories import DocumentFactory, member

URL = reverse("documents:bulk")
LIST = reverse("documents:list")


def post(client, action, *documents, query="", **data):
    ids = [str(document.pk) for document in documents]
    return client.post(f"{URL}{query}", {"action": action, "ids": ids, **data})


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def state(document):
    document.refresh_from_db()
    return document.state


def test_the_ticked_are_tried_again_and_the_page_says_how_many(client, company):
    failed = DocumentFactory.create_batch(2, company=company, failed=True)
    ready = DocumentFactory.create(company=company, ready=True)
    other = DocumentFactory.create(company=company, failed=True)
    response = post(client, "retry", *failed, ready)
    assert said(response) == "2 queued again."
    assert [state(document) for document in failed] == ["queued", "queued"]
    assert (state(ready), state(other)) == ("ready", "failed")


@pytest.mark.parametrize("action", ["retry", "cancel", "clear"])
def test_what_is_in_no_fitting_state_is_left_and_said(client, company, action):
    ready = DocumentFactory.create(company=company, ready=True)
    assert "nothing is" in said(post(client, action, ready))
    assert state(ready) == DocumentState.READY


def test_everything_that_the_filter_finds_is_cancelled_on_every_page(client, company):
    found = DocumentFactory.create_batch(60, company=company, kind="letter")
    other = DocumentFactory.create(company=company)
    response = post(client, "cancel", query="?kind=letter&state=queued", scope="all")
    assert said(response).startswith("60 cancelled.")
    assert {state(document) for document in found} == {"cancelled"}
    assert state(other) == DocumentState.QUEUED


def test_without_a_filter_everything_of_this_company_is_meant(client, company):
    DocumentFactory.create_batch(3, company=company)
    theirs = DocumentFactory.create()
    assert said(post(client, "cancel", scope="all")).startswith("3 cancelled.")
    assert state(theirs) == DocumentState.QUEUED


def test_a_filter_that_makes_no_sense_does_nothing(client, company):
    document = DocumentFactory.create(company=company)
    response = post(client, "cancel", query="?since=yesterday", scope="all")
    assert "makes no sense" in said(response)
    assert state(document) == DocumentState.QUEUED


@pytest.mark.parametrize(
    ("action", "before"), [("retry", "failed"), ("cancel", "queued"), ("clear", "failed")]
)
def test_more_than_can_be_acted_on_at_once_are_refused(
    client, company, monkeypatch, action, before
):
    monkeypatch.setattr("documents.services.queueing.MOST_AT_ONCE", 2)
    found = DocumentFactory.create_batch(3, company=company, state=before, failure="Why.")
    DocumentFactory.create_batch(3, company=company, ready=True)
    response = post(client, action, scope="all")
    assert said(response) == "Nothing was done. At most 2 documents at once: narrow the filter."
    assert {state(document) for document in found} == {before}
    assert not Document.objects.filter(cleared_at__isnull=False).exists()
    found.pop().delete()
    assert "2 " in said(post(client, action, scope="all")).split("filter.")[1]


def test_what_was_put_away_leaves_the_list_and_is_found_where_it_is_asked_for(client, company):
    failed = DocumentFactory.create(company=company, failed=True, title="Bad one")
    post(client, "clear", failed)
    assert "Bad one" not in client.get(LIST).content.decode()
    assert "Bad one" not in client.get(LIST, {"state": "failed"}).content.decode()
    assert "Bad one" in client.get(LIST, {"state": "cleared"}).content.decode()
    assert "put away" in client.get(failed.get_absolute_url()).content.decode()


def test_all_that_was_put_away_can_be_tried_again(client, company):
    failed = DocumentFactory.create(company=company, failed=True)
    post(client, "clear", failed)
    response = post(client, "retry", query="?state=cleared", scope="all")
    assert said(response).endswith("1 queued again.")


def test_one_goes_back_to_the_page_that_the_button_stood_on(client, company):
    failed = DocumentFactory.create(company=company, failed=True)
    response = post(client, "retry", failed, back=failed.get_absolute_url())
    assert response.url == failed.get_absolute_url()
    listed = f"{LIST}?state=failed"
    assert post(client, "retry", failed, back=listed).url == listed


@pytest.mark.parametrize("back", ["https://elsewhere.example/documents/", "//x/documents/", "/x/"])
def test_it_leads_nowhere_else(client, company, back):
    document = DocumentFactory.create(company=company)
    assert post(client, "cancel", document, back=back).url == LIST


def test_one_foreign_document_and_nothing_is_done(client, company):
    mine, theirs = DocumentFactory.create(company=company), DocumentFactory.create()
    assert post(client, "cancel", mine, theirs).status_code == 404
    assert (state(mine), state(theirs)) == ("queued", "queued")


def test_a_viewer_sees_and_may_not_act(viewer_client, company):
    failed = DocumentFactory.create(company=company, failed=True)
    assert post(viewer_client, "retry", failed).status_code == 403
    assert state(failed) == DocumentState.FAILED
    for url in (LIST, failed.get_absolute_url()):
        assert URL not in viewer_client.get(url).content.decode()


def test_a_clerk_may(company):
    failed = DocumentFactory.create(company=company, failed=True)
    client = signed_in(member(Role.CLERK, company=company))
    assert URL in client.get(failed.get_absolute_url()).content.decode()
    post(client, "retry", failed)
    assert state(failed) == DocumentState.QUEUED


def test_the_anonymous_sign_in_and_come_back_to_the_list(company):
    document = DocumentFactory.create(company=company)
    response = post(Client(), "cancel", document, back=LIST)
    assert urlsplit(response.url).path == reverse("account_login")
    assert state(document) == DocumentState.QUEUED


def test_looking_changes_nothing(client):
    assert client.get(URL).status_code == 405


@pytest.mark.parametrize(
    ("action", "ids"), [("melt", []), ("retry", ["x"]), ("retry", ["1"] * 201)]
)
def test_what_was_made_up_is_not_found(client, action, ids):
    assert client.post(URL, {"action": action, "ids": ids}).status_code == 404


def test_nothing_ticked_is_said(client):
    assert "Tick the documents first." in said(post(client, "retry"))


@pytest.mark.parametrize("state", ["queued", "running"])
def test_the_page_of_one_offers_what_fits_its_state(client, company, state):
    document = DocumentFactory.create(company=company, state=state)
    body = client.get(document.get_absolute_url()).content.decode()
    assert 'value="cancel"' in body
    assert 'value="retry"' not in body
    Document.objects.update(state="failed", failure="Why.")
    body = client.get(document.get_absolute_url()).content.decode()
    assert 'value="cancel"' not in body
    assert 'value="retry"' in body
    assert 'value="clear"' in body
