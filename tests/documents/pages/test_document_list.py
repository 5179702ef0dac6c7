from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from documents.models import Delivery, DeliveryState, Document, DocumentRequest, DocumentState
from documents.selectors import places_in_queue
from documents.templatetags import display
from documents.views import documents as pages
from tests.factories import DocumentFactory, UserFactory

URL = reverse("documents:list")


def titles(client, **query):
    response = client.get(URL, query)
    assert response.status_code == 200
    return [document.title for document in response.context["page"].rows]


def aged(document, **ago):
    Document._base_manager.filter(pk=document.pk).update(
        created_at=timezone.now() - timedelta(**ago)
    )
    return document


def test_the_newest_comes_first(client, company):
    aged(DocumentFactory.create(company=company, title="old"), days=3)
    aged(DocumentFactory.create(company=company, title="new"), days=1)
    aged(DocumentFactory.create(company=company, title="middle"), days=2)
    assert titles(client) == ["new", "middle", "old"]


def test_a_row_says_what_a_clerk_looks_for(client, company, owner):
    document = DocumentFactory.create(
        company=company,
        ready=True,
        kind="letter",
        recipient_code="C-77",
        recipient_name="Acme <b>",
        period_start=date(2026, 10, 1),
        period_end=date(2026, 10, 31),
        requested_by=owner.user,
    )
    body = client.get(URL).content.decode()
    for text in ("ready", "Letter", "C-77", "Acme &lt;b&gt;", "Oct 2026", "£1,234.50", "40 B"):
        assert text in body
    assert str(owner.user) in body
    assert reverse("documents:download", args=[document.pk]) in body


def test_what_is_not_ready_has_no_download(client, company):
    document = DocumentFactory.create(company=company)
    body = client.get(URL).content.decode()
    assert reverse("documents:download", args=[document.pk]) not in body


def test_filters_narrow_the_list(client, company, owner):
    DocumentFactory.create(company=company, title="one", failed=True, kind="letter")
    DocumentFactory.create(company=company, title="two", recipient_code="ZZ-9")
    DocumentFactory.create(company=company, title="three", requested_by=owner.user)
    DocumentFactory.create(company=company, title="four", requested_by=UserFactory.create())
    assert titles(client, state="failed") == ["one"]
    assert titles(client, kind="letter") == ["one"]
    assert titles(client, q="zz-") == ["two"]
    assert titles(client, q="hre") == ["three"]
    assert titles(client, q="%") == []
    assert titles(client, mine="on") == ["three"]
    assert titles(client, state="failed", q="two") == []


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2026-10-31", "", True),
        ("2026-11-01", "", False),
        ("", "2026-10-01", True),
        ("", "2026-09-30", False),
        ("2026-10-10", "2026-10-12", True),
    ],
)
def test_a_period_matches_when_it_overlaps(client, company, since, until, found):
    DocumentFactory.create(
        company=company,
        title="october",
        period_start=date(2026, 10, 1),
        period_end=date(2026, 10, 31),
    )
    assert titles(client, since=since, until=until) == (["october"] if found else [])


def test_a_filter_that_makes_no_sense_is_told_and_left_out(client, company):
    DocumentFactory.create(company=company, title="here")
    response = client.get(URL, {"since": "yesterday", "state": "melted"})
    assert [document.title for document in response.context["page"].rows] == ["here"]
    assert "Enter a valid date." in response.content.decode()


def test_pages_follow_each_other_without_gap_or_repetition(client, company, monkeypatch):
    monkeypatch.setattr(pages, "PAGE_SIZE", 3)
    DocumentFactory.create_batch(8, company=company)
    # A run inserts its documents in one statement: they share their time.
    Document._base_manager.update(created_at=timezone.now())
    seen, query, keys = [], {}, []
    while query is not None:
        page = client.get(URL, query).context["page"]
        seen += [row.pk for row in page.rows]
        keys.append(page)
        query = {"after": page.next} if page.next else None
    assert len(seen) == len(set(seen)) == 8
    back = client.get(URL, {"before": keys[2].previous}).context["page"]
    assert [row.pk for row in back.rows] == [row.pk for row in keys[1].rows]
    first = client.get(URL, {"before": back.previous}).context["page"]
    assert [row.pk for row in first.rows] == seen[:3]
    assert first.is_first
    assert first.previous is None


def test_paging_keeps_the_filter(client, company, monkeypatch):
    monkeypatch.setattr(pages, "PAGE_SIZE", 1)
    DocumentFactory.create_batch(2, company=company, title="Bill & Co")
    body = client.get(URL, {"q": "Bill &"}).content.decode()
    assert "?q=Bill+%26&amp;after=" in body


def test_a_key_that_is_no_key_shows_the_first_page(client, company):
    DocumentFactory.create(company=company, title="here")
    assert titles(client, after="'; DROP TABLE") == ["here"]


def test_the_queries_do_not_grow_with_the_rows(client, company, django_assert_num_queries):
    for _ in range(20):
        DocumentFactory.create(company=company, ready=True, requested_by=UserFactory.create())
    # session, user with companies, documents, their e-mails
    with django_assert_num_queries(4) as queries:
        client.get(URL, {"q": "Statement"})
    assert not any("snapshot" in query["sql"] for query in queries.captured_queries)
    assert not any("COUNT(" in query["sql"] for query in queries.captured_queries)


def test_empty_lists_say_what_to_do_next(client):
    assert "No documents yet." in client.get(URL).content.decode()
    assert "Nothing matches." in client.get(URL, {"q": "x"}).content.decode()


def test_the_list_asks_again_only_while_something_moves(client, company):
    DocumentFactory.create(company=company, ready=True)
    assert 'hx-trigger="load delay:' not in client.get(URL).content.decode()
    DocumentFactory.create(company=company, state=DocumentState.RUNNING)
    assert 'hx-trigger="load delay:250ms' in client.get(URL).content.decode()


def test_a_paper_that_somebody_else_asked_for_first_is_mine_too(client, company, owner):
    document = DocumentFactory.create(
        company=company, title="ours", requested_by=UserFactory.create()
    )
    DocumentFactory.create(company=company, title="theirs", requested_by=UserFactory.create())
    DocumentRequest.objects.create(company=company, document=document, user=owner.user)
    assert titles(client, mine="on") == ["ours"]


def test_papers_of_one_party_and_damaged_files_are_found(client, company):
    one = DocumentFactory.create(company=company, title="one")
    DocumentFactory.create(company=company, title="lost", ready=True, damage="missing")
    assert titles(client, party=str(one.recipient_id)) == ["one"]
    assert titles(client, state="damaged") == ["lost"]
    assert "file missing" in client.get(URL).content.decode()


def test_a_party_of_another_company_is_nobody(client):
    assert titles(client, party=str(DocumentFactory.create().recipient_id)) == []


def test_a_row_says_how_many_come_before_it_in_its_queue(client, company):
    DocumentFactory.create_batch(3, turn=1)  # of others, before it
    DocumentFactory.create(turn=0, held=True)
    DocumentFactory.create(queue="batch", turn=0)
    mine = DocumentFactory.create(company=company, turn=2)
    DocumentFactory.create(company=company, turn=3)
    assert places_in_queue(Document.objects.for_company(company)) == {
        mine.pk: 3,
        Document.objects.get(turn=3).pk: 4,
    }
    assert "3 before" in client.get(URL).content.decode()
    assert "3 papers come before it" in client.get(mine.get_absolute_url()).content.decode()


def test_the_first_of_the_queue_is_next(client, company):
    DocumentFactory.create(company=company)
    assert "next" in client.get(URL).content.decode()


def test_places_cost_one_query_however_many_wait(company, django_assert_num_queries):
    rows = DocumentFactory.create_batch(30, company=company)
    with django_assert_num_queries(1):
        assert len(places_in_queue(rows)) == 30


def test_an_e_mail_shows_beside_its_paper(client, company):
    document = DocumentFactory.create(company=company, ready=True)
    Delivery.objects.create(
        company=company,
        document=document,
        recipient_id=document.recipient_id,
        address="ap@harbour.example",
        state=DeliveryState.UNKNOWN,
        message_id="one@here",
    )
    assert "perhaps sent" in client.get(URL).content.decode()
    body = client.get(document.get_absolute_url()).content.decode()
    assert "ap@harbour.example" in body
    assert "perhaps sent" in body


def test_several_e_mails_with_a_paper_are_counted_by_state(client, company):
    document = DocumentFactory.create(company=company, ready=True)
    for state, times in ((DeliveryState.SENT, 2), (DeliveryState.UNKNOWN, 1)):
        for _ in range(times):
            Delivery.objects.create(
                company=company,
                document=document,
                recipient_id=uuid4(),
                address="ap@harbour.example",
                state=state,
                message_id=f"{uuid4()}@here",
            )
    body = client.get(URL).content.decode()
    assert "2 sent" in body
    assert "1 perhaps sent" in body


def test_the_state_of_a_version_is_told(client, company):
    old = DocumentFactory.create(company=company)
    DocumentFactory.create(company=company, subject_id=old.subject_id, version=2)
    body = client.get(URL).content.decode()
    assert body.count("Superseded by another version") == 1
    assert body.count("The version that stands") == 1


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        ({"seconds": 20}, "now"),
        ({"minutes": 5, "seconds": 30}, "5 min"),
        ({"hours": 3, "minutes": 59}, "3 h"),
        ({"days": 2}, "2 d"),
    ],
)
def test_an_age_is_told_roughly(client, company, ago, said):
    aged(DocumentFactory.create(company=company), **ago)
    assert f">{said}</time>" in client.get(URL).content.decode()


def test_after_a_month_the_day_stands_there(client, company):
    document = aged(DocumentFactory.create(company=company), days=31)
    document.refresh_from_db()
    body = client.get(URL).content.decode()
    assert display.moment(document.created_at, company) in body
    assert "31 d" not in body
