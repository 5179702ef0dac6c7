"""A run is paused or cancelled at the moment when the e-mail of one of its papers is let go."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from documents import papers
from documents.models import Delivery, Document
from documents.services import releasing, slots
from documents.services.batch_actions import cancel_batch, pause_batch
from documents.services.batch_sending import send_batch
from documents.services.releasing import release_deliveries
from tests.documents.runs import run_with
from tests.worker.faults import kinds
from tests.worker.racing import at_once, start, wait_until_blocked

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

STOPS = [(cancel_batch, ("cancelled", False)), (pause_batch, ("queued", True))]


@pytest.fixture(autouse=True)
def _everybody_has_an_address(monkeypatch, archive_dir, queues):
    monkeypatch.setitem(papers._registry.papers, "faulty", kinds.FAULTY)
    monkeypatch.setattr(
        papers._registry,
        "address_book",
        lambda company, people: {person: f"{person}@example.org" for person in people},
    )


@pytest.fixture
def batch():
    """One paper, just made, whose e-mail is held until that is announced."""
    batch = run_with(2)
    send_batch(batch=batch, by=None)
    made = Document.objects.filter(batch_items__batch=batch)[:1]
    Document.objects.filter(pk__in=list(made.values_list("pk", flat=True))).update(
        state="ready", size=1, pages=1, sha256="a", storage_key="a"
    )
    return batch


def release():
    release_deliveries(list(Document.objects.filter(state="ready")))


def mail():
    return Delivery.objects.values_list("state", "held").get(document__state="ready")


def released_while(stop, batch):
    """The release finds it stopped, but not committed yet, and waits."""
    with transaction.atomic():
        stop(batch=batch, by=None)
        released = start(release)
        wait_until_blocked(1)
    assert released() == [None]
    return mail()


def stopped_while_released(stop, batch):
    """Who stops it finds the e-mail let go, but not committed yet, and waits."""
    with transaction.atomic():
        release()
        stopped = start(lambda: stop(batch=batch, by=None))
        wait_until_blocked(1)
    assert stopped() == [1]
    return mail()


def without_a_lock(deliveries):
    return list(deliveries.values_list("pk", flat=True))


@pytest.mark.parametrize(("stop", "expected"), STOPS)
def test_what_is_being_stopped_is_not_let_go(batch, stop, expected):
    assert released_while(stop, batch) == expected


@pytest.mark.parametrize(("stop", "expected"), STOPS)
def test_what_is_being_let_go_is_stopped(batch, stop, expected):
    assert stopped_while_released(stop, batch) == expected


def test_control_without_the_lock_what_is_being_cancelled_goes_out(batch, monkeypatch):
    monkeypatch.setattr(releasing, "_lock", without_a_lock)
    assert released_while(cancel_batch, batch) == ("queued", False)


def test_control_without_the_lock_what_is_being_paused_goes_out(batch, monkeypatch):
    monkeypatch.setattr(releasing, "_lock", without_a_lock)
    with transaction.atomic():
        pause_batch(batch=batch, by=None)
        assert at_once(release) == [None]
    assert mail() == ("queued", False)


def put_off_while_one_is_locked(batch):
    """Somebody has locked the first of three that are due; what the other two are meanwhile."""
    Delivery.objects.update(held=False)
    first, taken, *_ = Delivery.objects.order_by("pk")
    later = timezone.now() + timedelta(hours=1)
    with transaction.atomic():
        Delivery.objects.select_for_update().get(pk=first.pk)
        finished = start(lambda: slots._put_off_run(taken, later))
        wait_until_blocked(1, unless=lambda: Delivery.due().count() == 1)
        still_due = set(Delivery.due().values_list("pk", flat=True))
    assert finished() == [None]
    return still_due == {first.pk}


@pytest.fixture
def three():
    batch = run_with(3)
    send_batch(batch=batch, by=None)
    return batch


def test_who_puts_a_run_off_waits_for_nobody_who_stops_it(three):
    assert put_off_while_one_is_locked(three)


def test_control_one_who_waits_with_others_in_hand_would_be_waited_for(three, monkeypatch):
    monkeypatch.setattr(
        type(connection.features), "has_select_for_update_skip_locked", False, raising=True
    )
    assert not put_off_while_one_is_locked(three)
