"""What people type to get in, and to change how: the library's forms in our words."""

import logging
import struct
from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as key_forms
from django import forms
from django.core.exceptions import ValidationError

_NEW = {
    "password1": (
        "New password",
        "At least 10 characters; none that many people use, and nothing like your name.",
    ),
    "password2": ("New password, once more", ""),
}
# A browser's answer has some hundred bytes; what is nested ten thousand deep breaks the parser.
_MOST_OF_A_KEY = 20_000
_UNREADABLE = (KeyError, IndexError, AttributeError, TypeError, ValueError, struct.error)
_NO_ANSWER = "This is no answer of a passkey or security key."

logger = logging.getLogger(__name__)


class _InOurWords:
    """`words`: label and help by field; the first field that is shown has the focus."""

    words: dict[str, tuple[str, str]] = {}
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, (label, help_text) in self.words.items():
            self.fields[name].label = label
            self.fields[name].help_text = help_text
        shown = [field for field in self.fields.values() if not field.widget.is_hidden]
        shown[0].widget.attrs["autofocus"] = True


class SignInForm(_InOurWords, account_forms.LoginForm):  # type: ignore[misc]
    words = {"login": ("E-mail", "")}


class ConfirmForm(_InOurWords, account_forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ForgottenPasswordForm(_InOurWords, account_forms.ResetPasswordForm):  # type: ignore[misc]
    words = {"email": ("E-mail", "")}


class NewPasswordForm(_InOurWords, account_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    words = _NEW


class FirstPasswordForm(_InOurWords, account_forms.SetPasswordForm):  # type: ignore[misc]
    words = _NEW


class ChangePasswordForm(_InOurWords, account_forms.ChangePasswordForm):  # type: ignore[misc]
    words = {"oldpassword": ("Password now", ""), **_NEW}


class SecondFactorForm(_InOurWords, factor_forms.AuthenticateForm):  # type: ignore[misc]
    words = {"code": ("Code", "")}


class ConfirmSecondFactorForm(_InOurWords, factor_forms.ReauthenticateForm):  # type: ignore[misc]
    words = {"code": ("Code of the authenticator app, or a recovery code", "")}


class AuthenticatorAppForm(_InOurWords, ActivateTOTPForm):  # type: ignore[misc]
    words = {"code": ("Code", "")}


class _KeyField(forms.JSONField):
    """Raises ValidationError for what no browser sends."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > _MOST_OF_A_KEY:
            raise ValidationError(_NO_ANSWER)
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise ValidationError(_NO_ANSWER) from error


class _OfAKey:
    """Takes what a browser sends about a passkey or security key, and nothing else.

    The library lets out what its parser stumbles over: whoever sends nonsense is told that it is.
    """

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]
    add_error: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["credential"] = _KeyField(widget=forms.HiddenInput)

    def full_clean(self) -> None:
        try:
            super().full_clean()  # type: ignore[misc]
        except _UNREADABLE as error:
            logger.warning("An answer of a passkey can't be read: %s", type(error).__name__)
            self.cleaned_data = {}
            self.add_error(None, _NO_ANSWER)


class AddKeyForm(_OfAKey, _InOurWords, key_forms.AddWebAuthnForm):  # type: ignore[misc]
    words = {
        "name": ("Name", "For you, to tell your keys apart."),
        "passwordless": (
            "Use it instead of the password",
            "It must then ask for a fingerprint, a face or a PIN.",
        ),
    }


class RenameKeyForm(_InOurWords, key_forms.EditWebAuthnForm):  # type: ignore[misc]
    words = {"name": ("Name", "")}


class SignInKeyForm(_OfAKey, key_forms.LoginWebAuthnForm):  # type: ignore[misc]
    pass


class SecondFactorKeyForm(_OfAKey, key_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class ConfirmKeyForm(_OfAKey, key_forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass
