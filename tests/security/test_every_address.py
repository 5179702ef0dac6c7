"""Every address of the site, asked for by everybody, in every way: each gets what `rights.py` says.

What is refused changes nothing, reading writes nothing, and nothing of a company is seen from
outside of it.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests import nplusone
from tests.security.rights import ADMIN, RIGHTS
from tests.security.world import MARK, TOKEN, World, new_world, rows_of

pytestmark = pytest.mark.django_db

LEVELS = {"v": 10, "c": 20, "a": 30, "o": 40}
ROLES = {"viewer": 10, "clerk": 20, "accountant": 30, "owner": 40, "stranger": 40}
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
# HEAD is GET without its body, and the rest is the same to everybody: asked for by a few.
ONLY = {
    "head": ("anonymous", "viewer", "stranger"),
    "options": ("anonymous", "stranger"),
    "put": ("anonymous", "owner"),
    "patch": ("anonymous", "owner"),
    "delete": ("anonymous", "owner"),
}
# Sessions and what is counted against guessing are no records.
BESIDE = ("django_session", "accounts_cache", "usersessions", "SAVEPOINT", "mfa_authenticator")
# Of these a GET leaves a line in the trail, and nothing else.
TAKEN_AWAY = ("_export", "_zip", "_merged")
# What an empty form is told, and what is not there in this world: no logo, no file of a run.
TOLD = {400, 409, 410, 413, 415, 422}
MISSING = {
    "accounts:choose_company",
    "accounts:logo",
    "admin:autocomplete",
    "admin:login",
    "admin:view_on_site",
    "billing:challan_bulk",
    "billing:invoice_bulk",
    "billing:payment_bulk",
    "billing:return_applied",
    "billing:return_bulk",
    "documents:batch_merged",
    "documents:batch_zip",
    "documents:bulk",
    "documents:changes",
    "documents:deliveries_decide",
    "documents:notification_open",
    "metrics",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_view_recovery_codes",
}
# Names of rows, by the beginning of the address's name.
OBJECTS = {
    "billing:invoice_": "invoice",
    "billing:payment_": "payment",
    "billing:return_": "return_",
    "billing:challan_": "challan",
    "billing:party_": "party",
    "billing:recomputation": "recomputation",
    "billing:paper": "invoice",
    "documents:batch": "batch",
    "documents:delivery": "delivery",
    "documents:notification_open": "notification",
    "documents:webhook_delivery": "webhook_delivery",
    "documents:webhook_replay": "webhook_delivery",
    "documents:webhook": "endpoint",
    "documents:schedule": "schedule",
    "documents:": "document",
    "accounts:withdraw_invitation": "invitation",
    "accounts:": "membership",
}


@pytest.fixture
def world(settings, tmp_path, caplog) -> World:
    caplog.set_level(logging.CRITICAL)  # thousands of refusals
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.COSTLY_PER_MINUTE = 0
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False
    settings.MIDDLEWARE = [it for it in live_settings.MIDDLEWARE if it != nplusone.MIDDLEWARE]
    return new_world()


def addresses() -> Iterator[str]:
    """The name of every address; without one, it can't be listed."""

    def walk(resolver: URLResolver, space: str) -> Iterator[str]:
        for found in resolver.url_patterns:
            if isinstance(found, URLResolver):
                inner = f"{space}{found.namespace}:" if found.namespace else space
                yield from walk(found, inner)
            else:
                assert isinstance(found, URLPattern)
                yield f"{space}{found.name or ''}"

    yield from walk(get_resolver(), "")


def url_of(name: str, world: World) -> str:
    own: dict[str, list[Any]] = {
        "billing:paper": ["invoice", world.invoice.pk],
        "billing:paper_preview": ["invoice", world.invoice.pk],
        "verify_paper": [world.code],
        "account_reset_password_from_key": ["1", "none-such"],
        "accounts:invitation": [TOKEN],
        "documents:mail_template": ["statement"],
        "documents:mail_template_restore": ["statement"],
        "admin:view_on_site": [1, "1"],
        "admin:app_list": ["accounts"],
        "admin:auth_user_password_change": [world.membership.user_id],
        "mfa_remove_webauthn": [1],
        "mfa_edit_webauthn": [1],
    }
    if name in own:
        return reverse(name, args=own[name])
    if is_of_an_object(name):
        start = next(start for start in OBJECTS if name.startswith(start))
        return reverse(name, args=[getattr(world, OBJECTS[start]).pk])
    return reverse(name)


def is_of_an_object(name: str) -> bool:
    known = get_resolver()
    for space in name.split(":")[:-1]:
        known = known.namespace_dict[space][1]
    [(possibility, *_), *_] = known.reverse_dict.getlist(name.split(":")[-1])
    return bool(possibility[0][1])


@contextmanager
def writes() -> Iterator[list[str]]:
    """The statements that change a row."""
    found: list[str] = []

    def watch(execute, sql, params, many, context):
        word = sql.lstrip("( ").split(" ", 1)[0].upper()
        if word in ("INSERT", "UPDATE", "DELETE") and not any(it in sql for it in BESIDE):
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found


def may(who: str, level: str) -> bool:
    if level == "all":
        return True
    if level == "user":
        return who != "anonymous"
    if level == "staff":
        return who in ("staff", "root")
    if level == "root":
        return who == "root"
    return level in LEVELS and ROLES.get(who, 0) >= LEVELS[level]


def expect(name: str, who: str, method: str, response: Any) -> str:
    """What is wrong with this answer; nothing if it is right."""
    status = response.status_code
    if method in ("put", "patch", "delete"):
        return "" if status == 405 else "no such method anywhere"
    get, post = RIGHTS[name]
    level = get if method in ("get", "head") else post if method == "post" else "-"
    if who == "stranger" and is_foreign(name):
        served = {404} if may(who, level) else {404, 405, 403}
        return "" if status in served or (method == "options" and status < 300) else "a stranger"
    if may(who, level):
        fine = status < 400 or status in TOLD or (status in {403, 404} and name in MISSING)
        return "" if fine else "served to them by the table"
    if method == "options":
        return "" if status < 500 else "broken"
    served = get if level == "-" and get != "-" else post if level == "-" else level
    if who == "anonymous" and served != "all":
        return "" if is_turned_away(response) or status == 405 else "not signed in"
    return "" if status in {302, 403, 404, 405} and not is_page(response) else "refused to them"


def is_foreign(name: str) -> bool:
    return name.startswith(("billing:", "documents:", "accounts:")) and is_of_an_object(name) and (
        name not in {"accounts:invitation", "documents:mail_template",
                     "documents:mail_template_restore"})  # fmt: skip


def is_turned_away(response: Any) -> bool:
    return (
        response.status_code in {401, 403, 404}
        or response.get("Location", "").startswith(("/accounts/sign-in/", "/admin/"))
        or response.status_code == 286  # a part that asks no more
        or response.get("HX-Refresh") == "true"
    )


def is_page(response: Any) -> bool:
    return response.status_code < 300


def ask(client: Client, method: str, url: str, **headers: str) -> Any:
    """As it would be answered, and then as if it had not been asked."""
    if method != "post":
        return getattr(client, method)(url, headers=headers)
    cookies = client.cookies.copy()
    with transaction.atomic():
        response = client.post(url, headers=headers)
        transaction.set_rollback(True)
    client.cookies = cookies
    return response


def test_every_address_is_listed_with_who_may_what():
    names = {name for name in addresses() if name not in ("admin:", "")}
    models = {name.rsplit("_", 1)[0] for name in names if name.endswith("_changelist")}
    assert {name.removeprefix("admin:") for name in models} == set(ADMIN)
    rest = {name for name in names if not any(name.startswith(model) for model in models)}
    assert rest == set(RIGHTS)


def walk(
    world: World,
    everybody: Callable[[str], tuple[str, ...]],
    methods: tuple[str, ...],
    **headers: str,
):
    """What is wrong anywhere."""
    for name in RIGHTS:
        url = url_of(name, world)
        for who in everybody(name):
            for method in methods:
                if who not in ONLY.get(method, (who,)):
                    continue
                with writes() as written:
                    response = ask(world.clients[who], method, url, **headers)
                problem = expect(name, who, method, response)
                problem += wrote(name, who, method, written) + leaked(name, who, response)
                if problem:
                    yield f"{name} {who} {method} {response.status_code}: {problem}"


def wrote(name: str, who: str, method: str, written: list[str]) -> str:
    is_refused = not may(who, RIGHTS[name][1]) or (who == "stranger" and is_foreign(name))
    if method == "get" and name.endswith(TAKEN_AWAY) and may(who, RIGHTS[name][0]):
        written = [it for it in written if "auditlog_logentry" not in it]
    return f" wrote {written[0][:80]}" if written and (method != "post" or is_refused) else ""


def leaked(name: str, who: str, response: Any) -> str:
    """The holder of a paper or of an invitation sees the company's name; operators see all."""
    if (who in ROLES and who != "stranger") or who == "root" or RIGHTS[name][0] == "all":
        return ""
    body = b"".join(response) if response.streaming else response.content
    return " leaked" if MARK.encode() in body else ""


def borders(name: str) -> tuple[str, ...]:
    """Who must just not get in at an address, who just must, and the outsiders."""
    levels = sorted(LEVELS.get(level, 0) for level in RIGHTS[name])
    least = levels[1] or 10
    refused = [who for who, level in ROLES.items() if level == least - 10]
    served = [who for who, level in ROLES.items() if level == least][:1]
    return (*refused, *served, "anonymous", "stranger", "staff")


def test_at_every_address_the_border_is_where_the_table_says(world):
    before = rows_of(world.company)
    assert not list(walk(world, borders, ("get", "post")))
    assert rows_of(world.company) == before


@pytest.mark.slow
def test_everybody_gets_what_the_table_says_and_no_more(world):
    before = rows_of(world.company)
    assert not list(walk(world, lambda _: tuple(world.clients), METHODS))
    assert rows_of(world.company) == before


def test_asking_for_a_part_of_a_page_opens_no_other_door(world):
    as_a_part = {"HX-Request": "true", "HX-Target": "results"}
    wrong = walk(world, lambda _: ("anonymous", "stranger"), ("get", "post"), **as_a_part)
    assert not list(wrong)


def test_operators_alone_see_the_admin_and_change_only_what_is_listed(world):
    for model, rights in ADMIN.items():
        for view in ("changelist", "add"):
            url = reverse(f"admin:{model}_{view}")
            for who in ("anonymous", "owner", "staff"):
                assert ask(world.clients[who], "get", url).status_code in (302, 403), (model, who)
            expected = 200 if view == "changelist" or "add" in rights else 403
            assert ask(world.clients["root"], "get", url).status_code == expected, (model, view)
        for view in ("change", "delete", "history"):
            url = reverse(f"admin:{model}_{view}", args=["1"])
            for who in ("anonymous", "owner", "staff"):
                assert ask(world.clients[who], "get", url).status_code in (302, 403), (model, who)


def ids_of(world: World) -> dict[str, Any]:
    """What the forms and filters call them, and the ids of the other company's rows."""
    party, invoice, document = str(world.party.pk), str(world.invoice.pk), str(world.document.pk)
    item = str(world.invoice.items.all()[0].pk)
    every = [invoice, str(world.payment.pk), str(world.return_.pk), str(world.challan.pk)]
    return {
        "party": party,
        "customer": party,
        "parties": "P1",
        "invoice": invoice,
        "item": item,
        "ids": [*every, document, str(world.delivery.pk)],
        "action": ["retry", "issue", "void", "invoice", "again", "papers"],
        "document": document,
        "run": str(world.batch.pk),
        "batch": str(world.batch.pk),
        "company": str(world.company.pk),
        "shares-0-invoice": invoice,
        "items-0-item": item,
        "before": document,
        "after": document,
        "page": party,
    }


def test_ids_of_another_company_in_bodies_and_filters_find_and_change_nothing(world):
    before, ids = rows_of(world.company), ids_of(world)
    for name, (get, post) in RIGHTS.items():
        if get == "all" or "staff" in (get, post) or "root" in (get, post) or is_foreign(name):
            continue
        url = url_of(name, world)
        stranger = world.clients["stranger"]
        for method in ("get", "post"):
            with transaction.atomic(), writes() as written:
                response = getattr(stranger, method)(url, ids)
                assert response.status_code < 500, (name, method, response.status_code)
                assert MARK.encode() not in b"".join(response), (name, method)
                if written:
                    assert rows_of(world.company) == before, name
                transaction.set_rollback(True)
