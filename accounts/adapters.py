"""Where Pressroom differs from the library that signs people in."""

import base64
import hashlib
import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.encoding import force_bytes

from accounts.audit import Action, note_each
from accounts.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by accepting an invitation."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Leads to the site as operators know it, not to the host that a request named."""
        path = reverse("account_reset_password")
        return f"{settings.SITE_URL}{path}{key}/"

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        """Once the second factor was right too: it stands in the trail who was in when."""
        note_each([(user, {})], by=user, action=Action.ACCESS)
        response: HttpResponse = super().post_login(request, user, **options)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Without the address, which is a person's and was typed by anybody."""
        logger.warning("A sign-in failed.")


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps secrets encrypted under SECRET_KEY: a stolen database holds no second factor."""

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002  its name
        """Offered in the form."""
        return f"Key {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return ""  # SECRET_KEY was replaced: no code is right any more


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret)) for secret in keys])


def _key(secret: str | bytes) -> bytes:
    digest = hashlib.blake2b(force_bytes(secret), person=b"second-factor", digest_size=32).digest()
    return base64.urlsafe_b64encode(digest)
