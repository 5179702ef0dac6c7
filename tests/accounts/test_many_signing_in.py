"""When a whole firm signs in at nine, nobody's wrong guesses are forgotten for it."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from tests.factories import PASSWORD, member

pytestmark = pytest.mark.django_db
WRONG = "wrong horse battery"


def sign_in(email: str, password: str, address: str):
    fields = {"login": email, "password": password}
    return Client().post(reverse("account_login"), fields, REMOTE_ADDR=address)


def note_attempts_of_others(many: int) -> None:
    """At once: by the cache's own way each is three statements."""
    later = timezone.now() + timedelta(minutes=5)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO accounts_cache (cache_key, value, expires) VALUES (%s, %s, %s)",
            [(f"~another-{number}", "gAWVBQAAAA==", later) for number in range(many)],
        )
    cache.set("one-more", 1, 300)  # looks whether there is room


def test_guesses_at_a_password_are_counted_also_while_many_others_sign_in():
    user = member(Role.CLERK).user
    for guess in range(5):
        sign_in(user.email, WRONG, f"10.1.0.{guess}")
    note_attempts_of_others(400)
    assert sign_in(user.email, PASSWORD, "10.1.0.99").status_code != 302
