"""A page asks again while something moves, more and more seldom, and then stops."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from documents.models import Batch, BatchState, Document, DocumentState
from tests.factories import BatchFactory, BatchItemFactory, DocumentFactory


def ticker(response):
    """The wait in milliseconds and the address of the next poll; None when there is none."""
    body = response.content.decode()
    found = re.search(
        r'id="ticker"[^>]*hx-get="([^"]+)" hx-trigger="load delay:(\d+)ms, every 10s"', body
    )
    return (int(found[2]), html.unescape(found[1])) if found else None


@pytest.fixture
def item(company):
    return BatchItemFactory.create(batch__company=company)


def test_the_wait_grows_while_nothing_changes(client, item):
    wait, url = ticker(client.get(item.batch.get_absolute_url()))
    waits = [wait]
    for _ in range(7):
        response = client.get(url)
        assert 'id="results"' not in response.content.decode()
        wait, url = ticker(response)
        waits.append(wait)
    assert waits == [250, 300, 400, 600, 1000, 2000, 3000, 5000]
    assert ticker(client.get(url))[0] == 5000


def test_a_change_brings_the_parts_and_shortens_the_wait(client, item):
    _, url = ticker(client.get(item.batch.get_absolute_url()))
    for _ in range(4):
        _, url = ticker(client.get(url))
    Document._base_manager.update(state=DocumentState.RUNNING)
    response = client.get(url)
    body = response.content.decode()
    assert 'id="progress"' in body
    assert 'id="results"' in body
    assert "being made" in body
    assert "<html" not in body
    assert ticker(response)[0] == 2000


def test_a_final_run_is_told_once_and_asked_for_no_more(client, item):
    _, url = ticker(client.get(item.batch.get_absolute_url()))
    Document._base_manager.update(state=DocumentState.CANCELLED)
    Batch._base_manager.update(state=BatchState.DONE)
    response = client.get(url)
    assert ticker(response) is None
    assert "The run is done" in response.content.decode()
    assert ticker(client.get(item.batch.get_absolute_url())) is None


def test_a_document_that_becomes_final_ends_it(client, company):
    document = DocumentFactory.create(company=company)
    _, url = ticker(client.get(document.get_absolute_url()))
    assert urlsplit(url).path == f"{document.get_absolute_url()}progress/"
    Document._base_manager.update(state=DocumentState.CANCELLED)
    response = client.get(url)
    assert ticker(response) is None
    assert "It was cancelled before it was made." in response.content.decode()


def test_a_document_that_was_begun_is_looked_at_again_at_once(client, company):
    document = DocumentFactory.create(company=company)
    _, url = ticker(client.get(document.get_absolute_url()))
    Document._base_manager.update(state=DocumentState.RUNNING)
    assert ticker(client.get(url))[0] == 250


def test_the_token_of_a_form_is_no_change(client, company):
    document = DocumentFactory.create(company=company)
    page = client.get(document.get_absolute_url())
    assert "csrfmiddlewaretoken" in page.content.decode()
    assert 'id="facts"' not in client.get(ticker(page)[1]).content.decode()


def test_polls_keep_the_filter_and_the_page(client, company):
    batch = BatchFactory.create(company=company)
    BatchItemFactory.create(batch=batch, name="A & B")
    _, url = ticker(client.get(batch.get_absolute_url(), {"q": "A & B", "state": "queued"}))
    query = parse_qs(urlsplit(url).query)
    assert query["q"] == ["A & B"]
    assert query["state"] == ["queued"]
    for _ in range(3):
        _, url = ticker(client.get(url))
    assert [len(values) for values in parse_qs(urlsplit(url).query).values()] == [1] * 4


def test_links_in_a_fragment_belong_to_the_page(client, item):
    _, url = ticker(client.get(item.batch.get_absolute_url()))
    Document._base_manager.update(state=DocumentState.RUNNING)
    links = re.findall(r'href="(\?[^"]*)"', client.get(url).content.decode())
    assert links
    assert not any("seen" in link or "wait" in link for link in links)


@pytest.mark.parametrize("wait", ["0", "-1", "99", "x", "1e9", ""])
def test_a_wait_that_was_made_up_is_not_believed(client, item, wait):
    _, url = ticker(client.get(item.batch.get_absolute_url()))
    made_up = re.sub(r"wait=\d+", f"wait={wait}", url)
    assert ticker(client.get(made_up))[0] == 250
