"""The company's endpoints, for its owners: added, tried, changed, switched off."""

import re
from ipaddress import ip_address
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from documents.models import WebhookDelivery, WebhookEndpoint
from documents.services import public_addresses
from documents.services.webhook_endpoints import change_endpoint, rotate_secret
from documents.templatetags import display
from documents.views import webhooks as pages
from tests.documents.pages.conftest import signed_in
from tests.documents.pages.test_markup import Findings
from tests.factories import member
from tests.factories_of_telling import SECRET, WebhookDeliveryFactory, WebhookEndpointFactory
from worker.leasing import WorkState

LIST = reverse("documents:webhooks")
ADD = reverse("documents:webhook_add")
OF_AN_ENDPOINT = ["webhook", "webhook_progress", "webhook_change"]
ACTIONS = ["webhook_on", "webhook_off", "webhook_delete", "webhook_test", "webhook_secret"]
OF_A_DELIVERY = ["webhook_delivery", "webhook_delivery_progress"]


@pytest.fixture(autouse=True)
def _names(monkeypatch):
    """`hooks.example` is public, `inside.example` is not, nothing else is there."""
    known = {"hooks.example": "93.184.215.14", "inside.example": "10.0.0.1"}
    known["169.254.169.254"] = "169.254.169.254"

    def look_up(host):
        address = known.get(host)
        return [ip_address(address)] if address else []

    monkeypatch.setattr(public_addresses, "look_up", look_up)


@pytest.fixture
def endpoint(company):
    return WebhookEndpointFactory.create(company=company, description="Order desk")


@pytest.fixture
def delivery(endpoint):
    return WebhookDeliveryFactory.create(endpoint=endpoint, state=WorkState.DONE, status=200)


def url_of(name, row):
    return reverse(f"documents:{name}", args=[row.pk])


def text(response):
    return response.content.decode()


def entered(**changes):
    return {
        "pk": str(uuid4()),
        "url": "https://hooks.example/in",
        "description": "Order desk",
        "events": ["document.ready", "run.failed"],
        **changes,
    }


def test_an_endpoint_is_added_and_its_secret_shown_this_once(client, owner):
    body = text(client.post(ADD, entered()))
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.company, endpoint.events) == (owner.company, ["document.ready", "run.failed"])
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", endpoint.secret)
    assert endpoint.secret in body
    for url in (LIST, url_of("webhook", endpoint), url_of("webhook_change", endpoint)):
        assert endpoint.secret not in text(client.get(url))
    entry = LogEntry.objects.get_for_object(endpoint).get()
    assert entry.actor == owner.user
    assert endpoint.secret not in str(entry.changes)


def test_a_form_that_is_sent_twice_adds_one(client):
    form = entered()
    client.post(ADD, form)
    assert client.post(ADD, form).status_code == 302
    assert WebhookEndpoint.objects.count() == 1


def test_the_id_of_anothers_endpoint_can_not_be_taken(client, owner):
    foreign = WebhookEndpointFactory.create()
    assert "sent before" in text(client.post(ADD, entered(pk=str(foreign.pk))))
    foreign.refresh_from_db()
    assert foreign.company != owner.company
    assert foreign.url == "https://hooks.example/pressroom"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.example/", "must begin with https"),
        ("https://inside.example/", "public internet"),
        ("https://169.254.169.254/", "public internet"),
        ("https://nowhere.example/", "There is no host"),
        ("https://a:b@hooks.example/", "user or password"),
    ],
)
def test_a_url_that_may_not_be_called_is_refused_beside_its_field(client, endpoint, url, said):
    for address in (ADD, url_of("webhook_change", endpoint)):
        body = text(client.post(address, entered(url=url)))
        assert re.search(rf'id="id_url_error">[^<]*{said}', body), address
    assert WebhookEndpoint.objects.get().url == endpoint.url


@pytest.mark.parametrize("events", [[], ["document.eaten"]])
def test_events_are_chosen_from_those_there_are(client, events):
    client.post(ADD, entered(events=events))
    assert WebhookEndpoint.objects.count() == 0


def test_an_endpoint_is_changed_and_the_trail_says_by_whom(client, owner, endpoint):
    client.post(url_of("webhook_change", endpoint), entered(url="https://hooks.example/new"))
    endpoint.refresh_from_db()
    assert endpoint.url == "https://hooks.example/new"
    assert endpoint.secret == SECRET
    [entry] = LogEntry.objects.get_for_object(endpoint)
    assert entry.changes["url"] == ["https://hooks.example/pressroom", "https://hooks.example/new"]


def test_a_new_secret_is_made_once_however_often_it_is_pressed(client, endpoint):
    form = {"mark": endpoint.secret_mark}
    body = text(client.post(url_of("webhook_secret", endpoint), form))
    endpoint.refresh_from_db()
    assert endpoint.secret in body
    assert endpoint.old_secret == SECRET
    new = endpoint.secret
    assert client.post(url_of("webhook_secret", endpoint), form).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.secret == new


def test_of_two_who_change_the_secret_at_once_the_second_is_told(owner, endpoint):
    first, second = (WebhookEndpoint.objects.get() for _ in range(2))
    mark = endpoint.secret_mark
    new = rotate_secret(endpoint=first, mark=mark, by=owner.user).secret
    with pytest.raises(ValidationError, match="changed meanwhile"):
        rotate_secret(endpoint=second, mark=mark, by=owner.user)
    assert WebhookEndpoint.objects.get().secret == new
    assert LogEntry.objects.get_for_object(endpoint).count() == 1


def test_switched_off_twice_it_is_off_once(client, endpoint):
    client.post(url_of("webhook_off", endpoint))
    late = WebhookDeliveryFactory.create(endpoint=endpoint)
    client.post(url_of("webhook_off", endpoint))
    late.refresh_from_db()
    assert late.state == WorkState.QUEUED  # a worker cancels it, with its reason
    assert LogEntry.objects.get_for_object(endpoint).count() == 1


def test_an_endpoint_of_no_event_is_refused_beside_its_field(owner, endpoint):
    with pytest.raises(ValidationError) as refused:
        change_endpoint(
            endpoint=endpoint, url=endpoint.url, events=[], description="", by=owner.user
        )
    assert refused.value.message_dict == {"events": ["Choose at least one."]}
    assert WebhookEndpoint.objects.get().events == ["document.ready", "run.finished"]


def test_it_is_switched_off_and_on(client, endpoint):
    waiting = WebhookDeliveryFactory.create(endpoint=endpoint)
    client.post(url_of("webhook_off", endpoint))
    endpoint.refresh_from_db()
    waiting.refresh_from_db()
    assert not endpoint.is_enabled
    assert waiting.state == WorkState.CANCELLED
    client.post(url_of("webhook_on", endpoint))
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (True, "")


def test_it_is_deleted_with_what_was_sent(client, endpoint, delivery):
    assert client.post(url_of("webhook_delete", endpoint))["Location"] == LIST
    assert WebhookEndpoint.objects.count() == WebhookDelivery.objects.count() == 0


def test_a_test_is_queued_and_shown(client, endpoint):
    response = client.post(url_of("webhook_test", endpoint), follow=True)
    assert WebhookDelivery.objects.get().event == "webhook.test"
    assert "webhook.test" in text(response)
    assert 'id="ticker" hidden hx-get' in text(response)  # the page follows it


def test_a_delivery_shows_what_was_sent_and_answered(client, endpoint):
    delivery = WebhookDeliveryFactory.create(
        endpoint=endpoint, state=WorkState.FAILED, status=500, answer="<oops>", failure="No."
    )
    body = text(client.get(url_of("webhook_delivery", delivery)))
    for shown in (delivery.message_id, "&lt;oops&gt;", "Statement Ærø", "500"):
        assert shown in body


def test_what_failed_for_now_shows_when_it_is_tried_next(client, endpoint):
    again = WebhookDeliveryFactory.create(endpoint=endpoint, attempts=1, started_at=timezone.now())
    body = text(client.get(url_of("webhook", endpoint)))
    assert f"next {display.moment(again.next_attempt_at, endpoint.company)}" in body


def test_a_delivery_is_sent_again(client, delivery):
    response = client.post(url_of("webhook_replay", delivery))
    again = WebhookDelivery.objects.get(replay_of=delivery)
    assert response["Location"] == again.get_absolute_url()
    assert "sent again" in text(client.get(again.get_absolute_url()))


def test_deliveries_are_filtered_and_paged(client, endpoint, monkeypatch):
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    WebhookDeliveryFactory.create_batch(3, endpoint=endpoint, state=WorkState.DONE)
    failed = WebhookDeliveryFactory.create(
        endpoint=endpoint, state=WorkState.FAILED, failure="No.", event="run.finished"
    )
    url = url_of("webhook", endpoint)

    def found(**query):
        return client.get(url, query).context["page"].rows

    assert found(state="failed") == found(event="run.finished") == [failed]
    page = client.get(url).context["page"]
    assert len(page.rows) == 2
    assert len(found(after=page.next)) == 2


def test_a_thousand_deliveries_cost_few_queries(client, endpoint, django_assert_num_queries):
    WebhookDeliveryFactory.create_batch(60, endpoint=endpoint, state=WorkState.DONE)
    with django_assert_num_queries(4) as queries:  # session, user, endpoint, deliveries
        client.get(url_of("webhook", endpoint))
    assert not any('"payload"' in query["sql"] for query in queries.captured_queries)
    with django_assert_num_queries(3):
        client.get(LIST)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK, Role.ACCOUNTANT])
def test_it_is_the_owners_business(company, endpoint, delivery, role):
    other = signed_in(member(role, company=company))
    for url in (LIST, ADD, *(url_of(name, endpoint) for name in OF_AN_ENDPOINT)):
        assert other.get(url).status_code == 403, url
    for name in OF_A_DELIVERY:
        assert other.get(url_of(name, delivery)).status_code == 403
    for name in ACTIONS:
        assert other.post(url_of(name, endpoint)).status_code == 403
    assert other.post(url_of("webhook_replay", delivery)).status_code == 403
    assert "documents/webhooks" not in text(other.get(reverse("documents:list")))


def test_a_stranger_finds_nothing_whatever_their_role(stranger_client, endpoint, delivery):
    for client in (stranger_client, signed_in(member(Role.CLERK))):
        for name in OF_AN_ENDPOINT:
            assert client.get(url_of(name, endpoint)).status_code == 404
        for name in OF_A_DELIVERY:
            assert client.get(url_of(name, delivery)).status_code == 404
        for name in ACTIONS:
            assert client.post(url_of(name, endpoint)).status_code == 404
        assert client.post(url_of("webhook_replay", delivery)).status_code == 404
    assert "Order desk" not in text(stranger_client.get(LIST))


def test_the_anonymous_are_sent_to_sign_in(endpoint):
    for url in (LIST, ADD, url_of("webhook", endpoint)):
        assert Client().get(url)["Location"].startswith(reverse("account_login"))


def test_nothing_changes_by_get(client, endpoint, delivery):
    for name in ACTIONS:
        assert client.get(url_of(name, endpoint)).status_code == 405
    assert client.get(url_of("webhook_replay", delivery)).status_code == 405


def test_no_webhooks_says_what_they_are_for(client):
    assert "No webhooks." in text(client.get(LIST))


def test_the_markup_has_nothing_inline_and_a_label_for_each_field(client, endpoint, delivery):
    urls = [LIST, ADD, url_of("webhook", endpoint), url_of("webhook_change", endpoint)]
    for url in [*urls, url_of("webhook_delivery", delivery)]:
        assert Findings(text(client.get(url))).wrong == [], url
    assert Findings(text(client.post(ADD, entered()))).wrong == []
