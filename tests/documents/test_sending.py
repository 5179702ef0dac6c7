"""What a mail server answers, or doesn't, and what becomes of the e-mail."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db.models.functions import Now

from documents.models import Delivery, DeliveryState, MailSettings
from documents.services.mailing import Unreachable, post
from documents.services.sending import send_delivery
from tests.documents.mail import delivery_to, keep_book
from tests.documents.mail_server import mail_server, use
from worker.dispatching import sweep_leases
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _archive(archive_dir):
    pass


@pytest.fixture
def book(monkeypatch):
    return keep_book(monkeypatch)


@pytest.fixture(scope="module")
def _server(tmp_path_factory, django_db_setup):
    with mail_server(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture
def server(_server, settings):
    _server.set("accept")
    for file in _server.folder.glob("*.eml"):
        file.unlink()
    use(settings, _server)
    return _server


@pytest.fixture
def delivery(book):
    return delivery_to(book, "ap@harbour.example")


def send(delivery: Delivery) -> Delivery:
    """One attempt, as a worker does it, whenever it is due, and whatever the rate limit says."""
    MailSettings.objects.update(next_slot_at=None)
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=Now())
    work_on(Delivery, delivery.pk, send_delivery)
    delivery.refresh_from_db()
    return delivery


def sent_by_two(delivery: Delivery) -> None:
    """The first lost its lease without knowing, and goes on."""
    first = Delivery.claim(delivery.pk)
    Delivery.objects.update(state="queued", token=None)
    second = Delivery.claim(delivery.pk)
    for claimed in (first, second):
        assert claimed is not None
        MailSettings.objects.update(next_slot_at=None)
        send_delivery(claimed)


def test_a_paper_arrives_with_its_party_and_nobody_else(server, delivery):
    send(delivery)
    assert (delivery.state, delivery.answer) == ("sent", "250 Taken as 42")
    [message] = server.received()
    assert message["X-Envelope-To"] == "ap@harbour.example"
    assert message["To"] == "Harbour & Hill <ap@harbour.example>"
    assert message["Message-ID"] == f"<{delivery.message_id}>"
    assert "Northgate Giftware Ltd" in message["From"]
    assert message["Date"]
    assert message["Cc"] is None
    assert message["Bcc"] is None
    body = message.get_body(("plain",)).get_content()
    assert body.replace("\r\n", "\n").strip() == delivery.body.strip()
    [attached] = message.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == "Statement Harbour & Hill.pdf"
    assert delivery.document.pk.bytes.hex().encode() in attached.get_content()


def test_the_same_message_twice_is_one_email(server, delivery):
    send(delivery)
    assert work_on(Delivery, delivery.pk, send_delivery) == "nothing to claim"
    assert len(server.received()) == 1


@pytest.mark.parametrize("place", ["rcpt", "data"])
def test_a_refusal_for_good_is_said_and_not_tried_again(server, delivery, place):
    server.set(f"550 at {place}")
    send(delivery)
    assert (delivery.state, delivery.failure) == ("failed", "Refused: 550 No such user here")
    assert delivery.handing_over_at is None
    assert server.received() == []


@pytest.mark.parametrize("place", ["rcpt", "data"])
def test_a_refusal_for_now_is_tried_again_under_the_same_id(server, delivery, place):
    server.set(f"451 at {place}")
    send(delivery)
    assert (delivery.state, delivery.failure) == ("queued", "Refused: 451 Greylisted")
    assert (delivery.handing_over_at, delivery.attempts) == (None, 1)
    assert Delivery.objects.get().next_attempt_at > delivery.started_at + timedelta(seconds=50)
    server.set("accept")
    assert send(delivery).state == "sent"
    assert [message["Message-ID"] for message in server.received()] == [f"<{delivery.message_id}>"]


def test_refusals_for_now_end_as_not_sent(server, delivery):
    server.set("451 at rcpt")
    for _ in range(delivery.max_attempts):
        assert delivery.state == "queued"
        send(delivery)
    assert (delivery.state, delivery.failure) == ("failed", "Refused: 451 Greylisted")


@pytest.mark.parametrize("mode", ["drop at rcpt", "hang at rcpt"])
def test_a_line_that_breaks_before_the_message_is_harmless(server, delivery, mode):
    server.set(mode)
    send(delivery)
    assert (delivery.state, delivery.handing_over_at) == ("queued", None)
    assert "could not be reached" in delivery.failure
    server.set("accept")
    assert send(delivery).state == "sent"
    assert len(server.received()) == 1


@pytest.mark.parametrize(
    ("mode", "arrived"), [("drop at data", 0), ("hang at data", 0), ("keep and hang", 1)]
)
def test_a_line_that_breaks_after_the_message_leaves_it_to_a_person(
    server, delivery, mode, arrived
):
    server.set(mode)
    send(delivery)
    assert delivery.state == DeliveryState.UNKNOWN
    assert delivery.handing_over_at is not None
    server.set("accept")
    assert send(delivery).state == DeliveryState.UNKNOWN
    assert len(server.received()) == arrived


def test_a_refusal_counts_whatever_the_server_says_next(server, delivery):
    server.set("ramble at data")
    send(delivery)
    assert (delivery.state, delivery.failure) == ("failed", "Refused: 554 Looks like spam")


def test_a_server_that_is_away_is_tried_again(server, delivery, settings):
    settings.EMAIL_PORT = 1
    send(delivery)
    assert (delivery.state, delivery.attempts) == ("queued", 1)
    assert "ConnectionRefusedError" in delivery.failure_detail


def test_a_worker_whose_lease_was_lost_hands_nothing_over(server, delivery):
    claimed = Delivery.claim(delivery.pk)
    assert claimed is not None
    Delivery.objects.update(token=delivery.pk)  # somebody else's by now
    send_delivery(claimed)
    assert server.received() == []
    assert Delivery.objects.get().handing_over_at is None


def test_without_a_mail_server_too_it_hands_nothing_over(delivery, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    claimed = Delivery.claim(delivery.pk)
    assert claimed is not None
    Delivery.objects.update(token=delivery.pk)
    send_delivery(claimed)
    assert mail.outbox == []
    assert Delivery.objects.get().state == "running"


def test_a_message_to_nobody_counts_as_not_handed_over(server):
    with pytest.raises(Unreachable, match="given nothing"):
        post(mail.EmailMessage("Statement", "Here it is.", to=[]), hand_over=lambda: True)
    assert server.received() == []


def test_without_that_check_two_workers_send_two(server, delivery, monkeypatch):
    """The control: what the mark under the token is for."""
    monkeypatch.setattr(Delivery, "hand_over", lambda self: True)
    sent_by_two(delivery)
    assert len(server.received()) == 2


def test_of_two_workers_one_sends(server, delivery):
    sent_by_two(delivery)
    assert len(server.received()) == 1
    assert Delivery.objects.get().state == "sent"


def test_an_answer_that_comes_after_the_lease_was_lost_settles_the_doubt(
    server, delivery, monkeypatch
):
    claimed = Delivery.claim(delivery.pk)
    assert claimed is not None
    hand_over = Delivery.hand_over

    def and_lose_it(row: Delivery) -> bool:
        marked = hand_over(row)
        Delivery.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
        assert Delivery.settle_lost() == 1
        return marked

    monkeypatch.setattr(Delivery, "hand_over", and_lose_it)
    send_delivery(claimed)
    row = Delivery.objects.get()
    assert (row.state, row.failure, row.answer) == ("sent", "", "250 Taken as 42")


def test_a_database_that_goes_away_after_the_message_has_nothing_sent_twice(
    server, delivery, monkeypatch
):
    def away(row: Delivery, **fields: object) -> bool:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(Delivery, "finish", away)
    send(delivery)
    assert delivery.state == DeliveryState.UNKNOWN
    assert len(server.received()) == 1


@pytest.mark.parametrize("state", ["queued", "failed", "running"])
def test_a_row_with_the_mark_is_never_claimed_whatever_its_state(delivery, state):
    """As when a lease runs out between two statements of the sweep, or its attempts are used up."""
    Delivery.objects.update(
        state=state,
        failure="why",
        handing_over_at=Now(),
        lease_expires_at=Now() - timedelta(seconds=1),
    )
    assert Delivery.claim(delivery.pk) is None
    assert sweep_leases(Delivery) == 1
    row = Delivery.objects.get()
    assert (row.state, row.token, row.lease_expires_at) == (DeliveryState.UNKNOWN, None, None)
    assert Delivery.claim(delivery.pk) is None


def test_a_lease_that_runs_out_before_the_message_is_queued_again(delivery):
    assert Delivery.claim(delivery.pk) is not None
    Delivery.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    assert sweep_leases(Delivery) == 1
    assert Delivery.claim(delivery.pk) is not None


@pytest.mark.parametrize("kind", ["locmem", "filebased"])
def test_where_there_is_no_mail_server_it_is_written(delivery, settings, tmp_path, kind):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{kind}.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "written")
    send(delivery)
    assert (delivery.state, delivery.answer) == ("sent", "Written, without a mail server.")
