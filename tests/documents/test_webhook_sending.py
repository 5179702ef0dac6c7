"""One event to one endpoint, over real HTTP, whatever the other side does."""

import json
import ssl
import subprocess
import time
from datetime import timedelta
from ipaddress import ip_address

import pytest
from django.utils import timezone

from accounts.models import Role
from documents.models import Event, Notification, WebhookDelivery, WebhookEndpoint
from documents.models.webhooks import WAITS
from documents.services import public_addresses, webhook_http
from documents.services.webhook_endpoints import disable_endpoint, rotate_secret
from documents.services.webhook_sending import send_webhook
from tests.documents.webhook_server import receiver
from tests.factories import member
from tests.factories_of_telling import WebhookDeliveryFactory, WebhookEndpointFactory
from worker.leasing import WorkState
from worker.running import work_on

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private_is_allowed(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def server():
    with receiver() as running:
        yield running


@pytest.fixture
def endpoint(server):
    return WebhookEndpointFactory.create(url=server.url)


@pytest.fixture
def delivery(endpoint):
    return WebhookDeliveryFactory.create(endpoint=endpoint)


def attempt(delivery):
    """One attempt, whenever it is due."""
    a_moment_ago = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=a_moment_ago)
    work_on(WebhookDelivery, delivery.pk, send_webhook)
    delivery.refresh_from_db()
    return delivery


def wait_of(delivery) -> timedelta:
    return delivery.next_attempt_at - timezone.now()


def test_the_library_accepts_what_is_sent(server, endpoint, delivery):
    attempt(delivery)
    assert delivery.state == WorkState.DONE
    assert (delivery.status, delivery.answer) == (200, "thank you")
    assert server.verified(endpoint.secret) == delivery.payload
    headers, body = server.requests[0]
    assert headers["webhook-id"] == delivery.message_id
    assert headers["content-type"] == "application/json"
    assert headers["host"] == server.url.split("/")[2]
    assert json.loads(body)["type"] == "document.ready"


def test_another_secret_does_not_verify(server, delivery):
    attempt(delivery)
    assert server.refuses("whsec_" + "QUJD" * 8)


def test_after_a_change_both_secrets_verify_for_a_day(server, endpoint, delivery):
    old = endpoint.secret
    by = member(Role.OWNER, company=endpoint.company).user
    new = rotate_secret(endpoint=endpoint, mark=endpoint.secret_mark, by=by).secret
    attempt(delivery)
    assert server.verified(old) == server.verified(new)
    yesterday = timezone.now() - timedelta(seconds=1)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(old_secret_until=yesterday)
    attempt(WebhookDeliveryFactory.create(endpoint=endpoint))
    assert server.verified(new)
    assert server.refuses(old)


@pytest.mark.parametrize("status", ["400", "401", "404", "500", "503"])
def test_what_is_not_a_success_is_tried_again_under_the_same_id(server, delivery, status):
    server.behave = status
    attempt(delivery)
    assert delivery.state == WorkState.QUEUED
    assert delivery.status == int(status)
    assert status in delivery.failure
    server.behave = "204"
    attempt(delivery)
    assert delivery.state == WorkState.DONE
    assert delivery.failure == ""
    assert server.ids == [delivery.message_id] * 2
    assert server.requests[0][1] == server.requests[1][1]


def test_it_is_tried_for_three_days_and_then_the_owners_are_told(server, endpoint, delivery):
    owner = member(Role.OWNER, company=endpoint.company)
    member(Role.ACCOUNTANT, company=endpoint.company)
    server.behave = "500"
    waits = []
    for _ in WAITS:
        attempt(delivery)
        assert delivery.state == WorkState.QUEUED
        waits.append(wait_of(delivery))
    for wait, least in zip(waits, WAITS, strict=True):
        assert least - timedelta(seconds=5) <= wait <= least * 1.1
    assert timedelta(days=3) < sum(waits, timedelta()) < timedelta(days=3.6)
    assert Notification.objects.count() == 0
    attempt(delivery)
    assert delivery.state == WorkState.FAILED
    assert len(server.requests) == 10
    told = Notification.objects.get()
    assert (told.user, told.event) == (owner.user, Event.WEBHOOK_FAILED)
    endpoint.refresh_from_db()
    assert endpoint.is_enabled


def test_what_failed_together_comes_apart(server, endpoint):
    server.behave = "500"
    rows = [attempt(WebhookDeliveryFactory.create(endpoint=endpoint, attempts=5)) for _ in range(5)]
    assert len({round(wait_of(row).total_seconds() / 10) for row in rows}) > 1


def test_gone_switches_the_endpoint_off_and_cancels_what_waits(server, endpoint, delivery):
    owner = member(Role.OWNER, company=endpoint.company)
    waiting = WebhookDeliveryFactory.create(endpoint=endpoint)
    other = WebhookDeliveryFactory.create(endpoint__company=endpoint.company)
    server.behave = "410"
    attempt(delivery)
    endpoint.refresh_from_db()
    assert delivery.state == WorkState.FAILED
    assert not endpoint.is_enabled
    assert "410" in endpoint.disabled_reason
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.state, other.state) == (WorkState.CANCELLED, WorkState.QUEUED)
    told = Notification.objects.get(user=owner.user)
    assert "switched off" in told.detail


def test_that_it_was_switched_off_is_told_whatever_was_told_that_day(server, endpoint, delivery):
    member(Role.OWNER, company=endpoint.company)
    server.behave = "500"
    attempt(WebhookDeliveryFactory.create(endpoint=endpoint, attempts=delivery.max_attempts - 1))
    server.behave = "410"
    attempt(delivery)
    told = Notification.objects.order_by("created_at").values_list("detail", flat=True)
    assert ["500" in told[0], "switched off" in told[1]] == [True, True]


def test_what_somebody_switched_off_meanwhile_is_not_told_as_switched_off_by_its_answer(
    server, endpoint, delivery, monkeypatch
):
    owner = member(Role.OWNER, company=endpoint.company)
    server.behave = "410"
    post = webhook_http.post

    def and_switch_off(*arguments):
        answer = post(*arguments)
        disable_endpoint(endpoint=endpoint, reason="Not needed.", by=owner.user)
        return answer

    monkeypatch.setattr(webhook_http, "post", and_switch_off)
    attempt(delivery)
    endpoint.refresh_from_db()
    assert (delivery.state, endpoint.disabled_reason) == (WorkState.FAILED, "Not needed.")
    assert not Notification.objects.exists()


def test_what_was_claimed_while_it_was_switched_off_is_not_sent(server, endpoint, delivery):
    WebhookEndpoint.objects.update(is_enabled=False)
    attempt(delivery)
    assert delivery.state == WorkState.CANCELLED
    assert server.requests == []


def test_a_redirect_is_not_followed(server, delivery):
    server.behave, server.headers = "302", {"Location": server.url}
    attempt(delivery)
    assert delivery.state == WorkState.QUEUED
    assert "redirects" in delivery.failure
    assert server.ids == [delivery.message_id]


@pytest.mark.parametrize("status", ["429", "503"])
def test_whoever_asks_to_wait_is_given_the_time(server, delivery, status):
    server.behave, server.headers = status, {"Retry-After": "7200"}
    attempt(delivery)
    assert timedelta(seconds=7190) < wait_of(delivery) <= timedelta(seconds=7200)


def test_a_date_to_wait_for_is_understood(server, delivery):
    later = timezone.now() + timedelta(hours=1)
    server.behave = "503"
    server.headers = {"Retry-After": f"{later:%a, %d %b %Y %H:%M:%S GMT}"}
    attempt(delivery)
    assert timedelta(minutes=59) < wait_of(delivery) <= timedelta(hours=1)


@pytest.mark.parametrize("asked", ["999999999", "-5", "soon", "0", "Mon, 32 Foo 2026"])
def test_nobody_can_make_it_wait_for_ever_or_hurry(server, delivery, asked):
    server.behave, server.headers = "429", {"Retry-After": asked}
    attempt(delivery)
    assert timedelta(seconds=4) < wait_of(delivery) <= timedelta(days=1)


def test_only_429_and_503_may_ask_to_wait(server, delivery):
    server.behave, server.headers = "500", {"Retry-After": "7200"}
    attempt(delivery)
    assert wait_of(delivery) < timedelta(seconds=10)


@pytest.mark.parametrize("way", ["hang", "drip headers", "drip body"])
def test_who_is_slow_is_cut_off(server, delivery, monkeypatch, way):
    monkeypatch.setattr(webhook_http, "TOTAL_SECONDS", 0.6)
    server.behave = way
    started = time.monotonic()
    attempt(delivery)
    assert time.monotonic() - started < 3
    assert delivery.state == WorkState.QUEUED
    assert delivery.status is None


@pytest.mark.parametrize(
    ("way", "said"),
    [("cut", "broke"), ("reset", "broke"), ("nonsense", "is not HTTP")],
)
def test_what_is_no_answer_is_tried_again(server, delivery, way, said):
    server.behave = way
    attempt(delivery)
    assert delivery.state == WorkState.QUEUED
    assert said in delivery.failure


def test_a_host_that_can_not_be_connected_to_in_time_is_tried_again(server, delivery, monkeypatch):
    monkeypatch.setattr(webhook_http, "CONNECT_SECONDS", 0.0)
    attempt(delivery)
    assert delivery.state == WorkState.QUEUED
    assert delivery.failure == "It did not answer in time."
    assert server.requests == []


def test_a_server_that_speaks_no_tls_is_said_to(server, delivery):
    WebhookEndpoint.objects.update(url=server.url.replace("http://", "https://"))
    attempt(delivery)
    assert delivery.state == WorkState.QUEUED
    assert delivery.failure == "It does not speak TLS as it should."
    assert server.requests == []


def test_of_an_endless_answer_only_the_beginning_is_read(server, delivery):
    server.behave = "flood"
    started = time.monotonic()
    attempt(delivery)
    assert time.monotonic() - started < 5
    assert delivery.state == WorkState.DONE
    assert delivery.answer == "x" * 500


def test_an_answer_of_odd_bytes_can_be_kept(server, delivery):
    server.body = b"\x00\xff\xfe<script>\r\n\x1b[31m"
    attempt(delivery)
    assert delivery.state == WorkState.DONE
    assert "\x00" not in delivery.answer


def test_a_port_at_which_nobody_listens_is_tried_again(delivery):
    WebhookEndpoint.objects.update(url="http://127.0.0.1:9/")
    attempt(delivery)
    assert delivery.state == WorkState.QUEUED
    assert "listens" in delivery.failure


def test_a_private_address_is_refused_at_each_sending(server, endpoint, delivery, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    WebhookEndpoint.objects.update(url=server.url.replace("http://", "https://"))
    attempt(delivery)
    assert delivery.state == WorkState.FAILED
    assert "public" in delivery.failure
    assert server.requests == []


def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    delivery, settings, monkeypatch
):
    """The connection goes to what was checked; the name server is not asked twice."""
    settings.WEBHOOK_ALLOW_PRIVATE = False
    answers = [[ip_address("93.184.215.14")], [ip_address("127.0.0.1")]]
    called = []

    def refuse(address, **options):
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(public_addresses, "look_up", lambda host: answers.pop(0))
    monkeypatch.setattr(webhook_http.socket, "create_connection", refuse)
    WebhookEndpoint.objects.update(url="https://rebinding.example/")
    attempt(delivery)
    assert called == [("93.184.215.14", 443)]
    attempt(delivery)
    assert called == [("93.184.215.14", 443)]
    assert delivery.state == WorkState.FAILED


@pytest.fixture
def certificate(tmp_path):
    """For the name `hooks.example`, which no one else vouches for."""
    key, crt = tmp_path / "key.pem", tmp_path / "crt.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"]
    subprocess.run([*command, "-keyout", key, "-out", crt], check=True, capture_output=True)
    return crt, key


def over_tls(delivery, certificate, monkeypatch, host, *, trusted=True):
    crt, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    seen = []
    context.sni_callback = lambda connection, name, _: seen.append(name)
    monkeypatch.setattr(public_addresses, "look_up", lambda name: [ip_address("127.0.0.1")])
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(crt))
    with receiver(lambda line: context.wrap_socket(line, server_side=True)) as server:
        port = server.url.split(":")[2]
        WebhookEndpoint.objects.update(url=f"https://{host}:{port}")
        attempt(delivery)
    return seen, server


def test_tls_is_spoken_with_the_name_that_was_typed(delivery, certificate, monkeypatch):
    seen, server = over_tls(delivery, certificate, monkeypatch, "hooks.example")
    assert delivery.state == WorkState.DONE
    assert seen == ["hooks.example"]
    assert server.verified(delivery.endpoint.secret)


def test_a_certificate_for_another_name_is_refused(delivery, certificate, monkeypatch):
    _, server = over_tls(delivery, certificate, monkeypatch, "other.example")
    assert delivery.state == WorkState.QUEUED
    assert "certificate" in delivery.failure
    assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(delivery, certificate, monkeypatch):
    _, server = over_tls(delivery, certificate, monkeypatch, "hooks.example", trusted=False)
    assert "certificate" in delivery.failure
    assert server.requests == []
