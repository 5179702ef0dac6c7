from datetime import timedelta

import pytest
from django.utils import timezone

from documents.models import Batch, BatchState, Document
from documents.views import batches as pages
from tests.documents.runs import add_papers
from tests.factories import BatchFactory, BatchItemFactory, BatchJobFactory, DocumentFactory


@pytest.fixture
def batch(company):
    return BatchFactory.create(company=company, title="October")


def item(batch, name, **document):
    made = DocumentFactory.create(company=batch.company, **document)
    return BatchItemFactory.create(batch=batch, name=name, document=made)


def page(client, batch, **query):
    response = client.get(batch.get_absolute_url(), query)
    assert response.status_code == 200
    return response


def names(client, batch, **query):
    return [row.name for row in page(client, batch, **query).context["page"].rows]


def test_there_is_a_row_for_each_party_and_a_reason_for_each_left_out(client, batch):
    item(batch, "Made", ready=True)
    item(batch, "Broken", failed=True)
    BatchItemFactory.create(batch=batch, name="Quiet", document=None, skipped_reason="No movement.")
    body = page(client, batch).content.decode()
    for text in ("Made", "Broken", "A character of the name", "Quiet", "No movement.", "£1,234.50"):
        assert text in body


def test_rows_are_found_by_state_and_text(client, batch):
    item(batch, "Made", ready=True)
    item(batch, "Broken", failed=True)
    BatchItemFactory.create(batch=batch, name="Quiet", document=None, skipped_reason="No movement.")
    assert names(client, batch) == ["Made", "Broken", "Quiet"]
    assert names(client, batch, state="ready") == ["Made"]
    assert names(client, batch, state="skipped") == ["Quiet"]
    assert names(client, batch, q="rok") == ["Broken"]
    assert names(client, batch, state="ready", q="rok") == []


def test_rows_are_paged_both_ways(client, batch, monkeypatch):
    monkeypatch.setattr(pages, "ITEMS_PAGE_SIZE", 2)
    for name in "ABCDE":
        item(batch, name)
    first = page(client, batch).context["page"]
    second = page(client, batch, after=first.next).context["page"]
    third = page(client, batch, after=second.next).context["page"]
    assert [row.name for row in second.rows] == ["C", "D"]
    assert [row.name for row in third.rows] == ["E"]
    assert third.next is None
    back = page(client, batch, before=second.previous).context["page"]
    assert [row.name for row in back.rows] == ["A", "B"]


def test_the_pace_is_measured_over_what_this_run_made(client, batch):
    start = timezone.now() - timedelta(seconds=30)
    batch.planned_at = start
    batch.save()
    before = item(batch, "made long ago", ready=True).document
    Document._base_manager.filter(pk=before.pk).update(
        started_at=start - timedelta(days=9), finished_at=start - timedelta(days=9)
    )
    for second in (10, 20, 30):
        made = item(batch, "new", ready=True).document
        Document._base_manager.filter(pk=made.pk).update(
            started_at=start, finished_at=start + timedelta(seconds=second)
        )
    item(batch, "waits")
    body = page(client, batch).content.decode()
    assert "6 a minute" in body
    assert "about 10 s left" in body


def test_a_run_of_which_everything_failed_is_not_said_to_have_made_it(client, batch):
    batch.planned_at = timezone.now() - timedelta(seconds=30)
    batch.state = "done"
    batch.save()
    item(batch, "failed", failed=True)
    body = page(client, batch).content.decode()
    assert "Finished 1 in" in body
    assert "Made" not in body


def test_a_run_that_stands_still_says_so(client, batch):
    long_ago = timezone.now() - timedelta(minutes=5)
    batch.planned_at = long_ago - timedelta(minutes=1)
    batch.save()
    made = item(batch, "made", ready=True).document
    Document._base_manager.filter(pk=made.pk).update(finished_at=long_ago)
    item(batch, "waits")
    assert "Nothing was finished for 5 min" in page(client, batch).content.decode()


def test_a_paused_run_says_so(client, batch):
    item(batch, "waits", held=True)
    Batch.objects.update(is_paused=True)
    body = page(client, batch).content.decode()
    assert 'class="state state-held">paused' in body
    assert "the others wait until the run is resumed" in body


def test_a_run_being_planned_says_so(client, company):
    batch = BatchFactory.create(company=company, state=BatchState.PLANNING, planned_at=None)
    assert "Reading the parties" in page(client, batch).content.decode()


def test_a_run_that_could_not_be_planned_says_why(client, company):
    batch = BatchFactory.create(company=company, state=BatchState.CANCELLED, planned_at=None)
    BatchJobFactory.create(batch=batch, state="failed", failure="Balances do not reconcile.")
    body = page(client, batch).content.decode()
    assert "It could not be planned: Balances do not reconcile." in body


def test_the_bar_has_values_for_those_who_do_not_see_it(client, batch):
    item(batch, "Made", ready=True)
    item(batch, "waits")
    body = page(client, batch).content.decode()
    assert 'role="progressbar"' in body
    assert 'aria-valuenow="1"' in body
    assert 'aria-valuemax="2"' in body
    assert "<title>50 % · October · Pressroom</title>" in body


def test_a_thousand_rows_cost_seven_queries(client, batch, heard, django_assert_num_queries):
    add_papers(batch, 1000)
    # Session, user, run, counts, jobs, rows, listeners.
    with django_assert_num_queries(7) as queries:
        response = page(client, batch)
    assert len(response.context["page"].rows) == 100
    assert response.context["progress"].total == 1000
    assert not any("snapshot" in query["sql"] for query in queries.captured_queries)
