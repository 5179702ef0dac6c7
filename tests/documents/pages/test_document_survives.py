"""What was asked for survives the tab, the session, the worker and the broker."""

import socket

import pytest
from django.urls import reverse

from accounts.models import Role
from documents.models import Document, DocumentState
from documents.services.requests import request_document
from documents.tasks import make_document
from tests.documents.pages.conftest import signed_in
from tests.documents.papers import statement_paper
from tests.factories import member
from worker.dispatching import publish_due, sweep_leases

LIST = reverse("documents:list")


@pytest.fixture
def clerk(company):
    return member(Role.CLERK, company=company)


def body(client, url=LIST, **query):
    return client.get(url, query).content.decode()


@pytest.mark.django_db(transaction=True)
def test_it_is_there_after_signing_out_and_in_elsewhere(company, clerk, queues):
    first = signed_in(clerk)
    document = request_document(company=company, paper=statement_paper("Acme"), by=clerk.user)
    first.post(reverse("account_logout"))
    assert first.get(LIST).status_code == 302
    elsewhere = signed_in(clerk)
    assert document.title in body(elsewhere, mine="on")
    make_document(str(document.pk))
    assert "Download PDF" in body(elsewhere, document.get_absolute_url())


@pytest.mark.django_db(transaction=True)
def test_a_colleague_finds_it_too_and_a_stranger_does_not(
    client, stranger_client, company, clerk, queues
):
    document = request_document(company=company, paper=statement_paper("Acme"), by=clerk.user)
    assert document.title in body(client)
    assert document.title not in body(client, mine="on")
    assert document.title not in body(stranger_client)


@pytest.mark.django_db(transaction=True)
def test_it_is_made_although_its_worker_was_lost(company, clerk, queues):
    document = request_document(company=company, paper=statement_paper("Acme"), by=clerk.user)
    assert Document.claim(document.pk) is not None
    assert "being made" in body(signed_in(clerk), document.get_absolute_url())
    Document.objects.update(lease_expires_at=document.created_at)
    sweep_leases(Document)
    assert make_document(str(document.pk)) == "done"
    assert "Download PDF" in body(signed_in(clerk), document.get_absolute_url())


@pytest.mark.django_db(transaction=True)
def test_it_can_be_asked_for_and_is_found_while_the_broker_is_away(
    company, clerk, queues, broker_at
):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        broker_at(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        document = request_document(company=company, paper=statement_paper("Acme"), by=clerk.user)
    document = Document.objects.get(pk=document.pk)
    assert (document.state, document.published_at) == (DocumentState.QUEUED, None)
    assert document.title in body(signed_in(clerk), mine="on")


@pytest.mark.django_db(transaction=True)
def test_what_the_broker_never_heard_of_is_published_by_the_dispatcher(company, clerk, queues):
    document = request_document(company=company, paper=statement_paper("Acme"), by=clerk.user)
    queues.flushall()
    Document.objects.update(published_at=None)
    assert publish_due() == 1
    assert queues.llen("interactive") == 1
    assert make_document(str(document.pk)) == "done"
