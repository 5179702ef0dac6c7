from django.urls import reverse

from documents.models import DocumentState
from tests.factories import BatchItemFactory, DocumentFactory


def page(client, document):
    return client.get(document.get_absolute_url()).content.decode()


def test_a_ready_document_shows_its_facts_and_its_file(client, company, owner):
    document = DocumentFactory.create(company=company, ready=True, requested_by=owner.user)
    body = page(client, document)
    for text in (document.sha256, "2 pages, 40 B", str(owner.user), "£1,234.50"):
        assert text in body
    assert reverse("documents:download", args=[document.pk]) in body


def test_a_failed_one_says_why_in_words(client, company):
    body = page(client, DocumentFactory.create(company=company, failed=True))
    assert "after 3 attempts: A character of the name can&#x27;t be printed." in body


def test_one_that_is_tried_again_says_so(client, company):
    document = DocumentFactory.create(company=company, attempts=1, failure="Disk full.")
    assert "Attempt 1 of 3 did not work, it is tried again: Disk full." in page(client, document)


def test_what_is_held_is_paused(client, company):
    assert "paused" in page(client, DocumentFactory.create(company=company, held=True))


def test_an_older_version_points_to_the_newest(client, company):
    old = DocumentFactory.create(company=company, ready=True)
    new = DocumentFactory.create(
        company=company, subject_id=old.subject_id, version=2, supersedes=old
    )
    assert "There is a newer version" in page(client, old)
    assert new.get_absolute_url() in page(client, old)
    assert "There is a newer version" not in page(client, new)
    assert old.get_absolute_url() in page(client, new)


def test_it_names_its_run(client, company):
    item = BatchItemFactory.create(batch__company=company)
    assert item.batch.get_absolute_url() in page(client, item.document)


def test_times_are_of_the_companys_time_zone(client, company):
    company.time_zone = "Asia/Kolkata"
    company.save()
    document = DocumentFactory.create(company=company, ready=True)
    assert "(UTC+05:30)" in page(client, document)


def test_it_takes_few_queries_and_leaves_the_snapshot(client, company, django_assert_num_queries):
    document = DocumentFactory.create(company=company, ready=True)
    with django_assert_num_queries(5) as queries:  # session, user, document, versions, runs
        client.get(document.get_absolute_url())
    assert not any("snapshot" in query["sql"] for query in queries.captured_queries)


def test_it_asks_again_until_it_is_final(client, company):
    document = DocumentFactory.create(company=company, state=DocumentState.RUNNING)
    assert "every 1s" in page(client, document)
    assert "every" not in page(client, DocumentFactory.create(company=company, failed=True))
