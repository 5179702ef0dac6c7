"""The forms of django-allauth that speak in our words, by its own names for them."""

_OURS = "accounts.forms.sessions"

ACCOUNT_FORMS = {
    "login": f"{_OURS}.SignInForm",
    "reauthenticate": f"{_OURS}.ConfirmForm",
    "reset_password": f"{_OURS}.ForgottenPasswordForm",
    "reset_password_from_key": f"{_OURS}.NewPasswordForm",
    "set_password": f"{_OURS}.FirstPasswordForm",
    "change_password": f"{_OURS}.ChangePasswordForm",
}
MFA_FORMS = {
    "authenticate": f"{_OURS}.SecondFactorForm",
    "reauthenticate": f"{_OURS}.ConfirmSecondFactorForm",
    "activate_totp": f"{_OURS}.AuthenticatorAppForm",
    "add_webauthn": f"{_OURS}.AddKeyForm",
    "edit_webauthn": f"{_OURS}.RenameKeyForm",
    "login_webauthn": f"{_OURS}.SignInKeyForm",
    "authenticate_webauthn": f"{_OURS}.SecondFactorKeyForm",
    "reauthenticate_webauthn": f"{_OURS}.ConfirmKeyForm",
}
