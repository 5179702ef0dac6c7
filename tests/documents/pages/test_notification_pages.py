"""The bell, the page of all notifications, and how to be told: each user's own."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Role
from documents.models import Event, MailChoice, Notification, NotificationChoice
from documents.views import notifications as pages
from tests.documents.pages.conftest import signed_in
from tests.documents.pages.test_markup import Findings
from tests.factories import DocumentFactory, member
from tests.factories_of_telling import NotificationFactory

BELL = reverse("documents:bell")
NEWEST = reverse("documents:bell_newest")
LIST = reverse("documents:notifications")
READ = reverse("documents:notifications_read")
CHOICES = reverse("documents:notification_choices")


@pytest.fixture
def told(owner):
    def make(**fields):
        return NotificationFactory.create(user=owner.user, company=owner.company, **fields)

    return make


def opening(row):
    return reverse("documents:notification_open", args=[row.pk])


def text(response):
    return response.content.decode()


def test_the_bell_counts_what_is_unread(client, told):
    assert "bell-none" in text(client.get(BELL))
    told()
    told()
    told(read_at=timezone.now())
    assert ">2<" in text(client.get(BELL))


def test_the_count_is_of_ones_own_in_this_company(client, owner, told):
    told()
    NotificationFactory.create(company=owner.company)
    NotificationFactory.create(user=owner.user, company=member(user=owner.user).company)
    assert ">1<" in text(client.get(BELL))


def test_whoever_works_in_another_company_sees_that_ones(client, owner, told):
    other = member(Role.VIEWER, user=owner.user).company
    told(title="Here")
    NotificationFactory.create(user=owner.user, company=other, title="There")
    client.post(reverse("accounts:choose_company"), {"company": str(other.pk)})
    assert "There" in text(client.get(LIST))
    assert "Here" not in text(client.get(LIST))


def test_many_are_not_all_counted(client, owner):
    NotificationFactory.create_batch(103, user=owner.user, company=owner.company)
    assert ">99+<" in text(client.get(BELL))


def test_only_what_is_new_since_is_announced(client, told):
    row = told(title="Statement A")
    assert "Statement A" not in text(client.get(BELL))
    assert "Document ready: Statement A" in text(client.get(BELL, {"seen": ""}))
    assert "Statement A" not in text(client.get(BELL, {"seen": str(row.pk)}))
    told(title="Statement B")
    assert "Document ready: Statement B" in text(client.get(BELL, {"seen": str(row.pk)}))


def test_asking_takes_one_query_beside_session_and_user(client, told, django_assert_num_queries):
    for _ in range(30):
        told()
    with django_assert_num_queries(3):
        client.get(BELL)
    with django_assert_num_queries(3):
        client.get(NEWEST)
    with django_assert_num_queries(3):
        client.get(LIST)


def test_a_page_with_the_bell_costs_no_query_more(client, told, django_assert_num_queries):
    told()
    with django_assert_num_queries(3):
        body = text(client.get(reverse("documents:list")))
    assert f'hx-get="{BELL}"' in body


def test_asking_stops_where_nobody_is_signed_in():
    for url in (BELL, NEWEST):
        response = Client().get(url)
        assert response.status_code == 286
        assert "hx-get" not in text(response)


def test_the_open_bell_lists_the_newest(client, company, told):
    document = DocumentFactory.create(company=company, ready=True)
    told(title="Old", read_at=timezone.now(), created_at=timezone.now() - timedelta(days=1))
    told(title="<b>New</b>", subject_id=document.pk)
    for _ in range(7):
        told(event=Event.RUN_FINISHED)
    body = text(client.get(NEWEST))
    assert "Old" not in body
    assert "&lt;b&gt;New&lt;/b&gt;" in body
    assert reverse("documents:download", args=[document.pk]) in body


def test_opening_one_marks_it_read_and_leads_on(client, told):
    row, other = told(), told()
    response = client.post(opening(row))
    assert (response.status_code, response["Location"]) == (302, row.url)
    assert set(Notification.objects.filter(read_at=None)) == {other}
    first = Notification.objects.get(pk=row.pk).read_at
    client.post(opening(row))
    assert Notification.objects.get(pk=row.pk).read_at == first


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_it_never_leads_elsewhere(client, told, url):
    assert client.post(opening(told(url=url)))["Location"] == LIST


def test_a_colleagues_is_not_found(viewer_client, stranger_client, told):
    row = told()
    assert viewer_client.post(opening(row)).status_code == 404
    assert stranger_client.post(opening(row)).status_code == 404
    assert Notification.objects.get().read_at is None


def test_reading_by_get_is_not_possible(client, told):
    row = told()
    assert client.get(opening(row)).status_code == 405
    assert client.get(READ).status_code == 405
    assert Notification.objects.get().read_at is None


def test_all_that_was_seen_is_marked_read(client, owner, told):
    told(created_at=timezone.now() - timedelta(minutes=2))
    newest_seen = told(created_at=timezone.now() - timedelta(minutes=1))
    later = told()
    NotificationFactory.create(company=owner.company)
    client.post(READ, {"upto": str(newest_seen.pk)})
    unread = Notification.objects.filter(read_at=None, user=owner.user)
    assert list(unread) == [later]
    body = text(client.post(READ, {"upto": str(later.pk)}, headers={"HX-Request": "true"}))
    assert "notice-unread" not in body
    assert Notification.objects.filter(read_at=None).count() == 1


def test_marking_needs_the_token_of_the_form(owner, told):
    told()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(owner.user)
    assert careful.post(READ).status_code == 403


def test_the_page_is_paged_and_shows_the_unread_alone(client, told, monkeypatch):
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    earlier = timezone.now() - timedelta(minutes=1)
    told(title="Read one", read_at=timezone.now(), created_at=earlier)
    for _ in range(3):
        told()
    page = client.get(LIST).context["page"]
    assert len(page.rows) == 2
    after = client.get(LIST, {"after": page.next})
    assert "Read one" in text(after)
    unread = client.get(LIST, {"unread": "on", "after": page.next})
    assert "Read one" not in text(unread)
    assert len(unread.context["page"].rows) == 1


def test_nothing_yet_says_what_to_do(client):
    assert "Nothing yet." in text(client.get(LIST))
    assert "Nothing yet." in text(client.get(NEWEST))
    assert "Nothing unread." in text(client.get(LIST, {"unread": "on"}))


def test_how_to_be_told_is_each_users_own_choice(client, viewer_client, owner):
    chosen = {"documents": "each", "runs": "digest", "warnings": "none"}
    assert client.post(CHOICES, chosen).status_code == 302
    row = NotificationChoice.objects.get()
    assert (row.user, row.company) == (owner.user, owner.company)
    assert (row.documents, row.runs, row.warnings) == ("each", "digest", "none")
    client.post(CHOICES, {**chosen, "runs": "none"})
    assert NotificationChoice.objects.get().runs == MailChoice.NONE
    assert "Warnings" in text(client.get(CHOICES))
    assert "Warnings" not in text(viewer_client.get(CHOICES))  # these go to owners


def test_an_unknown_choice_is_refused_beside_its_field(client):
    response = client.post(CHOICES, {"documents": "pigeon", "runs": "none", "warnings": "none"})
    assert "pigeon" in text(response)
    assert NotificationChoice.objects.count() == 0


def test_who_belongs_to_no_company_is_told_so(owner):
    client = signed_in(owner)
    Membership.objects.all().delete()
    for url in (LIST, CHOICES, BELL):
        assert client.get(url).status_code == 403


@pytest.mark.parametrize("name", ["notifications", "notification_choices"])
def test_the_anonymous_are_sent_to_sign_in(name):
    url = reverse(f"documents:{name}")
    assert Client().get(url)["Location"] == f"{reverse('account_login')}?next={url}"


def test_the_markup_has_nothing_inline_and_a_label_for_each_field(client, told):
    told()
    for url in (LIST, CHOICES, f"{LIST}?unread=on", NEWEST, f"{BELL}?seen=x"):
        assert Findings(text(client.get(url))).wrong == [], url
