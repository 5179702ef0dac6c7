"""Inviting people, joining, and changing what a member may do."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from accounts.forms.looks import dress
from accounts.models import Role, User

ROLES = {
    Role.VIEWER: "viewer: reads and downloads",
    Role.CLERK: "clerk: enters and issues",
    Role.ACCOUNTANT: "accountant: also voids, closes and runs statements",
    Role.OWNER: "owner: also manages the company and its members",
}


class _RoleField(forms.TypedChoiceField):
    def __init__(self, **options: Any) -> None:
        choices = [(role.value, label) for role, label in ROLES.items()]
        super().__init__(choices=choices, coerce=lambda value: Role(int(value)), **options)


class InviteForm(forms.Form):
    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = _RoleField(initial=Role.VIEWER.value)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        dress(self)


class RoleForm(forms.Form):
    role = _RoleField()


class JoinForm(forms.Form):
    """A new user: the address is the invitation's, and not asked for."""

    name = forms.CharField(
        label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label="Password",
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters.",
    )
    again = forms.CharField(
        label="Password, once more",
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email
        dress(self)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        password = cleaned.get("password")
        if password and cleaned.get("again") and password != cleaned["again"]:
            self.add_error("again", "The two passwords are not the same.")
        if password:
            try:
                validate_password(password, User(email=self.email, name=cleaned.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
