import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from documents.models import Document, DocumentRequest, DocumentState
from tests.documents.pages.conftest import signed_in
from tests.factories import BatchItemFactory, DocumentFactory, UserFactory, member


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
    # session, user, document, versions, runs, who else asked, e-mails
    with django_assert_num_queries(7) as queries:
        client.get(document.get_absolute_url())
    assert not any("snapshot" in query["sql"] for query in queries.captured_queries)


def test_it_asks_again_until_it_is_final(client, company):
    document = DocumentFactory.create(company=company, state=DocumentState.RUNNING)
    assert "load delay:250ms" in page(client, document)
    assert "load delay" not in page(client, DocumentFactory.create(company=company, failed=True))


def test_facts_that_went_back_are_told_on_both_versions(client, company):
    old = DocumentFactory.create(company=company, ready=True)
    new = DocumentFactory.create(
        company=company, subject_id=old.subject_id, version=2, supersedes=old
    )
    Document._base_manager.filter(pk=old.pk).update(current_since=timezone.now())
    assert "This version stands: the facts are again those that it shows" in page(client, old)
    assert "There is a newer version" not in page(client, old)
    assert "The facts are again those of an earlier version" in page(client, new)
    assert old.get_absolute_url() in page(client, new)


def test_versions_lead_to_what_changed(client, company):
    old = DocumentFactory.create(company=company)
    link = reverse("documents:changes", args=[old.pk])
    assert link not in page(client, old)
    DocumentFactory.create(company=company, subject_id=old.subject_id, version=2)
    assert link in page(client, old)


def test_who_else_asked_is_named(client, company, owner):
    document = DocumentFactory.create(company=company, requested_by=owner.user)
    other = UserFactory.create(name="Amara Diallo")
    for user in (owner.user, other):
        DocumentRequest.objects.create(company=company, document=document, user=user)
    assert "also by Amara Diallo" in page(client, document)


@pytest.mark.parametrize(
    ("role", "sees"),
    [(Role.OWNER, True), (Role.ACCOUNTANT, True), (Role.CLERK, False), (Role.VIEWER, False)],
)
def test_the_technical_reason_is_for_those_who_run_it(company, role, sees):
    document = DocumentFactory.create(
        company=company, failed=True, failure_detail="OSError: [Errno 28] <b>"
    )
    body = page(signed_in(member(role, company=company)), document)
    assert document.failure.replace("'", "&#x27;") in body
    assert ("OSError: [Errno 28] &lt;b&gt;" in body) is sees


def test_staff_see_it_whatever_their_role(company):
    document = DocumentFactory.create(company=company, failed=True, failure_detail="OSError")
    membership = member(Role.VIEWER, company=company, user=UserFactory.create(is_staff=True))
    assert "OSError" in page(signed_in(membership), document)


def test_a_file_that_the_archive_lost_is_told(client, company):
    document = DocumentFactory.create(company=company, ready=True, damage="changed")
    assert "no longer holds this file" in page(client, document)


def test_the_hash_can_be_copied(client, company):
    assert 'data-copy="#hash"' in page(client, DocumentFactory.create(company=company, ready=True))
