"""The operators' page: for staff of no company, and true about queues, processes and papers."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from documents.models import Canary, Document, PaperMinute
from documents.selectors.ops import throughput
from documents.templatetags.ops import span
from tests.factories import DocumentFactory, MembershipFactory, UserFactory
from tests.processes import private_broker
from worker import counting
from worker.models import Mark, Presence, Role
from worker.presence import Herald

PAGE, LIVE = "/ops/", "/ops/live/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory.create(is_staff=True))
    return client


def all_is_well() -> None:
    Herald(Role.WORKER, ("interactive", "batch", "mail", "recompute")).say()
    Herald(Role.DISPATCHER).say()
    Herald(Role.BEAT).say()
    counting.note(counting.DISPATCHED)


def page(client: Client, address: str = PAGE) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("address", [PAGE, LIVE])
def test_an_owner_of_a_company_finds_nothing_there(client, address):
    client.force_login(MembershipFactory.create(role=40).user)
    assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_who_is_not_signed_in_signs_in_and_a_fragment_has_the_page_reloaded():
    assert Client().get(PAGE).headers["Location"].startswith("/accounts/sign-in/")
    assert Client().get(LIVE).headers["HX-Refresh"] == "true"


@pytest.mark.django_db
def test_staff_find_it_in_their_menu_and_others_do_not(client):
    membership = MembershipFactory.create(role=40)
    client.force_login(membership.user)
    assert 'href="/ops/"' not in page(client, "/documents/")
    type(membership.user).objects.update(is_staff=True)
    assert 'href="/ops/"' in page(client, "/documents/")


@pytest.mark.django_db
def test_nothing_is_changed_by_looking_and_nothing_can_be_posted(operator):
    assert operator.post(PAGE).status_code == 405


@pytest.mark.django_db
def test_an_empty_installation_says_what_is_missing(operator):
    text = page(operator)
    assert "No dispatcher runs." in text
    assert "No beat runs." in text
    assert "No process says that it is alive." in text
    assert "Nothing waits and nothing runs." in text
    assert "Nothing has failed." in text


@pytest.mark.django_db
def test_where_all_is_well_nothing_is_complained_about(operator):
    all_is_well()
    assert 'role="alert"' not in page(operator)


@pytest.mark.django_db
def test_a_queue_that_nobody_listens_to_is_named(operator):
    all_is_well()
    Presence.objects.filter(role=Role.WORKER).update(queues=["interactive"])
    document = DocumentFactory.create(queue="batch")
    rows = Document._base_manager.filter(pk=document.pk)
    rows.update(next_attempt_at=Now() - timedelta(minutes=3))
    text = page(operator, LIVE)
    assert "No worker listens to the queue <code>batch</code>" in text
    assert "waited in it for 3 min" in text
    assert str(document.pk) in text or document.pk.hex in text


@pytest.mark.django_db
def test_a_worker_of_a_queue_that_is_no_more_hears_none_of_ours(operator):
    all_is_well()
    Presence.objects.filter(role=Role.WORKER).update(queues=["former"])
    DocumentFactory.create(queue="batch", next_attempt_at=timezone.now() - timedelta(minutes=3))
    text = page(operator)
    assert "former" in text  # beside its worker
    assert "No worker listens to the queue <code>batch</code>" in text


@pytest.mark.django_db
def test_a_dispatcher_that_is_there_but_makes_no_pass_is_stuck(operator):
    all_is_well()
    Mark.objects.update(at=Now() - timedelta(minutes=2))
    assert "The dispatcher is stuck." in page(operator)


@pytest.mark.django_db
def test_a_broker_that_is_away_is_told(operator, broker_at):
    all_is_well()
    with private_broker() as private:
        broker_at(private.url)
        private.stop()
        assert "The broker does not answer." in page(operator)


@pytest.mark.django_db
def test_a_worker_shows_what_its_children_work_on_and_their_memory(operator):
    all_is_well()
    worker = Presence.objects.get(role=Role.WORKER)
    Presence.objects.filter(pk=worker.pk).update(children={"4242": 90_000}, memory_kb=123_456)
    busy = DocumentFactory.create(state="running", attempts=1)
    Document._base_manager.filter(pk=busy.pk).update(
        claimed_by=f"{worker.host}:4242", started_at=Now()
    )
    text = page(operator)
    assert "123 MB" in text
    assert text.count("document <code>") == 2  # beside the worker, and as the oldest work


@pytest.mark.django_db
def test_a_claim_names_who_claimed():
    document = DocumentFactory.create()
    claimed = Document.claim(document.pk)
    assert claimed is not None
    herald = Herald(Role.WORKER)
    assert claimed.claimed_by == f"{herald.host}:{herald.pid}"


@pytest.mark.django_db
def test_a_herald_tells_the_memory_of_its_process():
    Herald(Role.WORKER, ("batch",)).say()
    assert Presence.objects.get().memory_kb > 10_000


@pytest.mark.django_db
def test_failures_are_counted_by_reason(operator):
    all_is_well()
    for _ in range(3):
        DocumentFactory.create(failed=True)
    old = DocumentFactory.create(failed=True, failure="Long ago.")
    Document._base_manager.filter(pk=old.pk).update(finished_at=Now() - timedelta(hours=30))
    text = page(operator)
    assert "A character of the name can&#x27;t be printed." in text
    assert "Long ago." not in text


@pytest.mark.django_db
def test_the_chart_shows_an_hour_by_two_minutes_and_a_day_by_the_hour(operator):
    now = timezone.now().replace(second=0, microsecond=0)
    for minutes, papers in ((0, 4), (30, 5), (300, 6)):
        minute = now - timedelta(minutes=minutes)
        PaperMinute.objects.create(minute=minute, outcome="ready", papers=papers)
    PaperMinute.objects.create(minute=now, outcome="failed", papers=1)
    hour, day = throughput(hours=1), throughput(hours=24)
    assert (len(hour), sum(bar.ready for bar in hour)) == (30, 9)
    assert (len(day), sum(bar.ready for bar in day)) == (24, 15)
    assert hour[-1].failed == 1
    assert "15 made" in page(operator, f"{PAGE}?hours=24")
    assert "9 made" in page(operator, f"{PAGE}?hours=nonsense")


@pytest.mark.django_db
def test_a_canary_that_is_late_is_told(operator, settings):
    all_is_well()
    settings.CANARY_SECONDS = 60
    assert "No canary has come back" in page(operator)
    for queue in ("interactive", "batch"):
        canary = Canary.objects.create(queue=queue, state="done")
        Canary.objects.filter(pk=canary.pk).update(finished_at=Now())
    assert 'role="alert"' not in page(operator)
    Canary.objects.filter(queue="batch").update(finished_at=Now() - timedelta(minutes=7))
    assert "The last canary came back 7 min" in page(operator)


@pytest.mark.django_db
def test_it_takes_the_same_few_queries_for_much(operator, django_assert_max_num_queries):
    all_is_well()
    for number in range(6):
        DocumentFactory.create(queue="batch", turn=number)
        DocumentFactory.create(failed=True)
    with django_assert_max_num_queries(18):
        page(operator)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_spans_are_told_in_their_two_largest_units(seconds, said):
    assert span(timedelta(seconds=seconds)) == said
