"""Every form of every page, filled in by somebody who means harm: nothing breaks, and nothing of
another company is found, changed or named.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings as live_settings
from django.db import connection, transaction
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from tests import nplusone
from tests.security import world as worlds
from tests.security.forms_of import Form, forms_of
from tests.security.rights import RIGHTS
from tests.security.test_every_address import BESIDE, url_of
from tests.security.world import MARK, World, new_world, rows_of

pytestmark = pytest.mark.django_db

WRONG = [
    "a\x00b",
    "\ud800",
    "9" * 400,
    "1e999999999",
    "9999-12-31",
]
ALSO_WRONG = [
    "NaN",
    "-Infinity",
    "0000-00-00",
    "0001-01-01",
    "10000-01-01",
    "-1",
    "2147483648",
    "99999999999999999999",
    "00000000-0000-0000-0000-000000000000",
    "[" * 100_000,
    '{"a":' * 50_000,
    "\u202e\u2028\ufeff",
    "%00%ff",
    "../../etc/passwd",
    "=1+1",
]
# What pages ask for in their address, beside what their forms name.
ASKED_FOR = (
    "q",
    "sort",
    "after",
    "before",
    "page",
    "hours",
    "inline",
    "back",
    "next",
    "run",
    "ids",
)
DOORS = ("credential", "login", "password", "email", "next")
ENDS_THE_VISIT = ("account_logout", "usersessions_list", "account_change_password")


@dataclass(frozen=True)
class Shown:
    """A form, where it was seen and where it goes."""

    name: str
    url: str
    form: Form


@pytest.fixture
def calm(settings, tmp_path, caplog):
    caplog.set_level("CRITICAL")  # hundreds of refusals
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.COSTLY_PER_MINUTE = 0
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False
    settings.MIDDLEWARE = [it for it in live_settings.MIDDLEWARE if it != nplusone.MIDDLEWARE]


@pytest.fixture
def world(calm) -> World:
    return new_world()


@pytest.fixture
def other(world, monkeypatch) -> World:
    """A company like the first; its names are different ones."""
    monkeypatch.setattr(worlds, "MARK", "Otherwise")
    monkeypatch.setattr(worlds, "TOKEN", "another-invitation")
    return new_world()


def pages(world: World) -> Iterator[tuple[str, str]]:
    """What an owner may look at, and the doors."""
    for name, (get, _) in RIGHTS.items():
        if get in LEVELS and not name.endswith(("_export", "_zip", "_merged", ":download")):
            yield name, url_of(name, world)


LEVELS = ("v", "c", "a", "o", "user")


def shown(client: Client, world: World) -> list[Shown]:
    """Each form once, however many pages show it."""
    found: dict[tuple[str, str, tuple[str, ...]], Shown] = {}
    for name, url in pages(world):
        answer = client.get(url)
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        for form in forms_of(answer.content.decode()):
            target = urlsplit(form.action).path or url
            try:
                goes_to = resolve(target).view_name
            except Resolver404:
                continue
            if goes_to not in ENDS_THE_VISIT:
                key = (form.method, goes_to, tuple(sorted(form.fields)))
                found.setdefault(key, Shown(name, target, form))
    return list(found.values())


def send(client: Client, method: str, url: str, fields: dict[str, list[str]]) -> Any:
    """Also what no text can hold; answered, and then as if it had not been sent."""
    pairs = ((name, value) for name, values in fields.items() for value in values)
    body = "&".join(f"{_raw(name)}={_raw(value)}" for name, value in pairs)
    cookies = client.cookies.copy()
    with transaction.atomic():
        if method == "get":
            answer = client.get(f"{url}?{body[:60_000]}")
        else:
            answer = client.post(url, body, content_type="application/x-www-form-urlencoded")
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def _raw(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


Filling = Callable[[Form], Iterator[dict[str, list[str]]]]


def broken(world: World, filled: Filling) -> Iterator[str]:
    """Where a server error comes out."""
    client = world.clients["owner"]
    for each in shown(client, world):
        for fields in filled(each.form):
            answer = send(client, each.form.method, each.url, fields)
            if answer.status_code >= 500:
                yield f"{each.name}: {each.form.method} {each.url} {fields!a:.300}"


def mixed(names: Iterable[str]) -> Iterator[dict[str, list[str]]]:
    """Each field has another value, and then the next one."""
    for turn in (0, 1):
        yield {
            name: [WRONG[(place + turn) % len(WRONG)]] for place, name in enumerate(sorted(names))
        }


def all_at_once(form: Form) -> Iterator[dict[str, list[str]]]:
    for value in WRONG + ALSO_WRONG:
        yield {name: [value] for name in {*form.fields, *form.ids}}


def one_by_one(form: Form) -> Iterator[dict[str, list[str]]]:
    """The others are right, so that it comes further."""
    for value in WRONG + ALSO_WRONG[:8]:
        for name in {*form.fields, *form.ids}:
            yield form.send(name, value)


def test_there_are_many_forms_and_they_are_read_right(world):
    found = shown(world.clients["owner"], world)
    assert len(found) > 40
    named = {resolve(each.url).view_name: each.form for each in found if each.form.method == "post"}
    entry = named["billing:invoice_create"]
    assert {"party", "invoice_date", "items-0-description"} <= set(entry.fields) | entry.ids
    assert "party" in entry.ids


def test_no_value_that_means_harm_breaks_a_form(world):
    assert not list(broken(world, lambda form: mixed({*form.fields, *form.ids})))


@pytest.mark.slow
@pytest.mark.parametrize("filled", [all_at_once, one_by_one])
def test_none_of_many_values_that_mean_harm_breaks_a_field(world, filled):
    assert not list(broken(world, filled))


def test_no_value_that_means_harm_breaks_a_page_by_its_address(world):
    client, wrong = world.clients["owner"], []
    names = {*ASKED_FOR, "party", "state", "from", "to", "kind", "amount_min", "overdue", "company"}
    for name, url in pages(world):
        for fields in mixed(names):
            answer = send(client, "get", url, fields)
            if answer.status_code >= 500:
                wrong.append((name, fields))
    assert not wrong


def test_no_value_that_means_harm_breaks_a_door(world):
    """Nobody has to be signed in to try: the answer of a passkey is JSON."""
    harm = ["[" * 100_000, '{"a":' * 50_000 + "1", "null", "[]", "1", '"x"', "{}", "\ud800"]
    harm += ['{"id": "x", "rawId": "x", "response": {}}', '{"id": 1, "response": "x"}', "NaN"]
    harm += ['{"id":"\\ud800","rawId":"!","response":{"clientDataJSON":"!"},"type":"public-key"}']
    for name in ("mfa_login_webauthn", "account_login", "account_reset_password"):
        for value in harm:
            fields = {key: [value] for key in DOORS}
            answer = send(world.clients["anonymous"], "post", reverse(name), fields)
            assert answer.status_code < 500, (name, value[:40])


# --- Rows of another company ---------------------------------------------------------------------


def ids_of(world: World) -> dict[str, str]:
    """By what a field's name says that it takes."""
    item = world.invoice.items.all()[0]
    delivered = world.challan.items.all()[0]
    rows = {
        "party": world.party,
        "customer": world.party,
        "invoice": world.invoice,
        "payment": world.payment,
        "return": world.return_,
        "challan_item": delivered,
        "challan": world.challan,
        "item": item,
        "document": world.document,
        "run": world.batch,
        "batch": world.batch,
        "delivery": world.delivery,
        "notification": world.notification,
        "endpoint": world.endpoint,
        "schedule": world.schedule,
        "invitation": world.invitation,
        "member": world.membership,
        "company": world.company,
    }
    return {name: str(row.pk) for name, row in rows.items()}


@contextmanager
def written() -> Iterator[list[str]]:
    """What each statement that changes a row writes."""
    found: list[str] = []

    def watch(execute, sql, params, many, context):
        word = sql.lstrip("( ").split(" ", 1)[0].upper()
        if word in ("INSERT", "UPDATE", "DELETE") and not any(it in sql for it in BESIDE):
            found.append(f"{sql} {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found


def taken(world: World, other: World, pks_of: Callable[[str], list[str]]) -> list[str]:
    """Where an owner of the other company got hold of a row of the first."""
    before, client, wrong = rows_of(world.company), other.clients["owner"], []
    tries = [
        (each, field, pk)
        for each in shown(client, other)
        for field in sorted(each.form.ids)
        for pk in pks_of(field)
    ]
    for each, field, pk in tries:
        with written() as statements:
            answer = send(client, each.form.method, each.url, each.form.send(field, pk))
        problem = harm_of(answer, statements, pk)
        if problem:
            wrong.append(f"{each.name}: {each.form.method} {each.url} {field}: {problem}")
    assert len(tries) > 25
    assert rows_of(world.company) == before
    return wrong


def test_no_field_that_names_a_kind_of_row_takes_one_of_another_company(world, other):
    ids = ids_of(world)
    spoken_of = lambda field: [pk for name, pk in ids.items() if name in field.lower()]  # noqa: E731
    assert not taken(world, other, spoken_of)


@pytest.mark.slow
def test_no_field_of_any_form_takes_any_row_of_another_company(world, other):
    ids = ids_of(world)
    assert not taken(world, other, lambda _: sorted(set(ids.values())))


def harm_of(answer: Any, statements: list[str], pk: str) -> str:
    if answer.status_code >= 500:
        return "broke"
    if MARK.encode() in (b"".join(answer) if answer.streaming else answer.content):
        return "showed a name"
    kept = [it for it in statements if re.search(f"{pk}|{pk.replace('-', '')}", it)]
    return f"wrote {kept[0][:300]}" if kept else ""


def test_the_same_field_takes_a_row_of_ones_own_company(other):
    """So that the refusals above are no accident."""
    client, party = other.clients["owner"], str(other.party.pk)
    [entry] = [
        each
        for each in shown(client, other)
        if resolve(each.url).view_name == "billing:payment_create" and each.form.method == "post"
    ]
    fields = {**entry.form.send("party", party), "amount": ["5"], "payment_date": ["2026-03-01"]}
    with written() as statements:
        answer = send(client, "post", entry.url, fields)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    assert any(party in it for it in statements)


# --- Where a page leads --------------------------------------------------------------------------


def test_no_page_leads_where_its_address_says(world):
    """Neither by a redirect nor by a link; nor by headers that proxies set."""
    evil = "https://evil.example/"
    asked = ("next", "back", "url", "to", "return", "redirect_to", "continue")
    claims = {
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/admin/",
        "X-Rewrite-URL": "/admin/",
        "Forwarded": "host=evil.example",
        "X-HTTP-Method-Override": "DELETE",
    }
    body = "&".join(f"{name}={quote(evil)}" for name in asked)
    leads = re.compile(r'(?:href|action|src|hx-\w+)="\s*(?:\w+:)?[/\\]{2}evil|url=https?:')
    for name, (get, _) in RIGHTS.items():
        if get == "-":
            continue
        for who in ("owner", "anonymous"):
            answer = world.clients[who].get(f"{url_of(name, world)}?{body}", headers=claims)
            assert not re.match(r"https?:|//|/\\", answer.get("Location", "")), (name, who)
            text = (b"".join(answer) if answer.streaming else answer.content).decode("latin-1")
            assert not leads.search(text), (name, who)
