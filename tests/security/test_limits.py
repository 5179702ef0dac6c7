"""How many costly requests are answered in a minute, and how large a request may be."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.conf import settings as live_settings
from django.core.cache import cache, caches
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import limits
from accounts.counting import count_up
from accounts.logos import MOST_BYTES
from accounts.models import Role
from documents.models import WebhookEndpoint
from documents.services import webhook_endpoints
from documents.verification import code_of
from tests.factories import DocumentFactory, member
from tests.factories_of_telling import WebhookEndpointFactory
from tests.security.rights import RIGHTS
from tests.security.world import signed_in

pytestmark = pytest.mark.django_db
EXPORT = reverse("billing:party_export")


@pytest.fixture(autouse=True)
def three_a_minute(settings, monkeypatch):
    """And that minute does not end in the middle of a test."""
    settings.COSTLY_PER_MINUTE = 3
    now = time.time()
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: now))


def codes(client: Client, url: str, times: int, method: str = "get", **headers: str) -> list[int]:
    return [getattr(client, method)(url, headers=headers).status_code for _ in range(times)]


def test_a_person_gets_so_many_in_a_minute_and_is_told_when_to_come_back():
    client = signed_in(member(Role.OWNER).user)
    assert codes(client, EXPORT, 4) == [200, 200, 200, 429]
    refused = client.get(EXPORT)
    assert refused["Retry-After"] == "60"
    assert "Too much at once" in refused.content.decode()
    assert refused["Content-Security-Policy"]


def test_ordinary_pages_are_not_counted_and_a_colleague_is_not_held_up():
    ours = member(Role.OWNER)
    client = signed_in(ours.user)
    codes(client, EXPORT, 4)
    assert client.get(reverse("billing:party_list")).status_code == 200
    colleague = signed_in(member(Role.CLERK, company=ours.company).user)
    assert codes(colleague, EXPORT, 1) == [200]


def test_another_address_does_not_give_a_person_more():
    client = signed_in(member(Role.OWNER).user)
    codes(client, EXPORT, 3)
    assert client.get(EXPORT, REMOTE_ADDR="198.51.100.9").status_code == 429


def test_who_is_not_signed_in_is_counted_by_address_whatever_they_say_it_is(settings, tmp_path):
    settings.ARCHIVE_DIR = tmp_path / "archive"
    document = DocumentFactory.create(ready=True)
    url = reverse("verify_paper", args=[code_of(document.fingerprint)])
    answers = [
        Client().get(url, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(4)
    ]
    assert answers == [200, 200, 200, 429]
    assert Client().get(url, REMOTE_ADDR="198.51.100.9").status_code == 200


def test_all_web_processes_count_together():
    """Each has a memory of its own, which is empty when it meets a client for the first time."""
    client = signed_in(member(Role.OWNER).user)
    answers = []
    for _ in range(4):
        caches["counts"].clear()
        answers += codes(client, EXPORT, 1)
    assert answers == [200, 200, 200, 429]


def test_who_goes_on_is_refused_without_asking_the_database_again():
    address = {"REMOTE_ADDR": "198.51.100.7"}
    url = reverse("verify_paper", args=["AAAA"])
    for _ in range(4):
        Client().get(url, **address)
    with CaptureQueriesContext(connection) as asked:
        assert Client().get(url, **address).status_code == 429
    assert not [each for each in asked.captured_queries if "accounts_cache" in each["sql"]]


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_of_those_who_come_at_once_none_is_forgotten():
    key = uuid4().hex

    def count() -> list[int]:
        try:
            return [count_up(key, seconds=60) for _ in range(50)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        counted = [each.result() for each in [pool.submit(count) for _ in range(4)]]
    assert sorted(number for part in counted for number in part) == list(range(1, 201))


def test_many_other_guesses_do_not_wash_a_count_away():
    """The shared cache drops some of what it has once it is full."""
    cache.set("allauth:rl:guesses", [1, 2, 3, 4, 5], 300)
    for number in range(700):
        cache.set(f"somebody-else-{number}", [1], 300)
    assert cache.get("allauth:rl:guesses") == [1, 2, 3, 4, 5]


def test_guessed_codes_are_counted_too():
    answers = codes(Client(), reverse("verify_paper", args=["AAAA"]), 4)
    assert answers == [404, 404, 404, 429]


def test_uploads_are_refused_before_they_are_read():
    client = signed_in(member(Role.OWNER).user)
    assert codes(client, reverse("documents:verify"), 4, "post")[-1] == 429


def test_none_is_no_bound(settings):
    settings.COSTLY_PER_MINUTE = 0
    assert 429 not in codes(signed_in(member(Role.OWNER).user), EXPORT, 5)


def test_every_costly_address_exists_and_takes_that_method():
    for place, method in enumerate(("GET", "POST")):
        for name in live_settings.COSTLY_VIEWS[method]:
            assert RIGHTS[name][place] != "-", (name, method)


def test_a_form_of_too_many_bytes_or_fields_is_refused():
    client = signed_in(member(Role.OWNER).user)
    url = reverse("billing:party_create")
    large = client.post(url, {"name": "x" * (live_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)},
                        content_type="application/x-www-form-urlencoded")  # fmt: skip
    assert large.status_code in (400, 413)
    many = "&".join(["a="] * (live_settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    answer = client.post(url, many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (400, 413)


def test_a_logo_of_too_many_bytes_is_refused():
    client = signed_in(member(Role.OWNER).user)
    file = SimpleUploadedFile("logo.png", b"\x89PNG" + bytes(MOST_BYTES))
    answer = client.post(reverse("accounts:upload_logo"), {"logo": file})
    assert "larger than 2 MB" in answer.content.decode()


def test_a_company_has_so_many_webhook_endpoints_and_no_more(monkeypatch):
    monkeypatch.setattr(webhook_endpoints, "MOST_ENDPOINTS", 2)
    owner = member(Role.OWNER)
    WebhookEndpointFactory.create_batch(2, company=owner.company)
    with pytest.raises(ValidationError, match="which is the most"):
        webhook_endpoints.add_endpoint(
            company=owner.company,
            pk=uuid4(),
            url="https://hooks.example/x",
            events=["document.ready"],
            description="",
            by=owner.user,
        )
    assert WebhookEndpoint.objects.filter(company=owner.company).count() == 2
