"""A hundred invoices, ten at once, over HTTP: a hundred numbers, none twice, none left out."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import models
from django.test import Client

from accounts.models import Role
from billing import numbering
from billing.models import Balance, Invoice
from tests.billing.pages.typed import invoice as typed
from tests.factories import member

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

CREATE = "/billing/invoices/create/"
COUNT, AT_ONCE = 100, 10


@contextmanager
def browser(server: str, session: str) -> Iterator["Browser"]:
    connection = HTTPConnection(urlsplit(server).netloc, timeout=60)
    try:
        yield Browser(connection, session)
    finally:
        connection.close()


class Browser:
    """As much of one as it takes to send a form."""

    def __init__(self, connection: HTTPConnection, session: str) -> None:
        self.connection, self.session = connection, session

    def create(self, data: dict[str, object]) -> int:
        form = self._ask("GET", "", f"sessionid={self.session}")
        cookie = re.search(r"csrftoken=(\w+)", form[1]) or pytest.fail("no cookie")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form[2]) or pytest.fail(
            "no token"
        )
        body = urlencode(data | {"csrfmiddlewaretoken": token[1]})
        cookies = f"sessionid={self.session}; csrftoken={cookie[1]}"
        return self._ask("POST", body, cookies)[0]

    def _ask(self, method: str, body: str, cookies: str) -> tuple[int, str, str]:
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, CREATE, body, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        return response.status, response.getheader("Set-Cookie") or "", text


@pytest.fixture
def session(company) -> str:
    client = Client()
    client.force_login(member(Role.CLERK, company=company).user)
    return client.cookies["sessionid"].value


def create_many(live_server, session, party) -> Counter[int]:
    def create(_: int) -> int:
        with browser(live_server.url, session) as one:
            return one.create(typed(party, issue="1"))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(create, range(COUNT)))


def taken(company) -> list[str]:
    rows = Invoice.objects.for_company(company).exclude(invoice_number="")
    return sorted(rows.values_list("invoice_number", flat=True))


def test_a_hundred_numbers_no_duplicate_no_gap_and_no_error(live_server, session, company, party):
    assert create_many(live_server, session, party) == {302: COUNT}
    assert taken(company) == [f"INV-2026-{number:05}" for number in range(1, COUNT + 1)]
    assert Balance.objects.get(party=party).current == 30 * COUNT


def test_control_without_its_lock_the_numbering_stumbles(
    live_server, session, company, party, monkeypatch
):
    """The same without the row lock: so the test above could fail."""

    def unlocked(rows: "models.QuerySet") -> "models.QuerySet":
        return rows

    monkeypatch.setattr(numbering, "_locked", unlocked)
    monkeypatch.setattr("billing.services.invoices.move_balances", lambda **_: None)
    monkeypatch.setattr("billing.views.entries.retry_transient", lambda action, tries: action())
    outcomes = create_many(live_server, session, party)
    assert outcomes[500] > 0 or len(set(taken(company))) < COUNT
