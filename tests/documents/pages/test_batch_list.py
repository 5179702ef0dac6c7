from django.urls import reverse

from documents.models import BatchState
from documents.views import batches as pages
from tests.factories import BatchFactory, BatchItemFactory, DocumentFactory, UserFactory

URL = reverse("documents:batches")


def test_a_run_shows_how_far_it_is(client, company):
    batch = BatchFactory.create(company=company, title="October")
    for state in ({"ready": True}, {"ready": True}, {"failed": True}, {}):
        document = DocumentFactory.create(company=company, **state)
        BatchItemFactory.create(batch=batch, document=document)
    BatchItemFactory.create(batch=batch, document=None, skipped_reason="No movement.")
    body = client.get(URL).content.decode()
    assert "October" in body
    assert 'aria-valuenow="3"' in body
    assert 'aria-valuemax="4"' in body
    assert "75 %" in body


def test_runs_are_found_by_state_and_title(client, company):
    BatchFactory.create(company=company, title="October")
    BatchFactory.create(company=company, title="September", state=BatchState.DONE)

    def found(**query):
        return sorted(batch.title for batch in client.get(URL, query).context["page"].rows)

    assert found() == ["October", "September"]
    assert found(state="done") == ["September"]
    assert found(q="octo") == ["October"]


def test_runs_are_paged(client, company, monkeypatch):
    monkeypatch.setattr(pages, "RUNS_PAGE_SIZE", 2)
    BatchFactory.create_batch(3, company=company)
    page = client.get(URL).context["page"]
    assert len(page.rows) == 2
    assert len(client.get(URL, {"after": page.next}).context["page"].rows) == 1


def test_all_counts_come_in_one_query(client, company, heard, django_assert_num_queries):
    for _ in range(6):
        batch = BatchFactory.create(company=company, requested_by=UserFactory.create())
        BatchItemFactory.create_batch(3, batch=batch)
    # Session, user with companies, runs, counts, listeners.
    with django_assert_num_queries(5):
        client.get(URL)


def test_no_runs_yet(client):
    assert "No runs yet." in client.get(URL).content.decode()
