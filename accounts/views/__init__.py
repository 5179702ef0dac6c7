"""Signing in, choosing the company to act in, and its settings and members."""

from accounts.views.companies import CompanySettingsView, LogoView, RemoveLogoView, UploadLogoView
from accounts.views.invitations import InvitationView
from accounts.views.members import (
    ChangeRoleView,
    InviteView,
    MembersView,
    RemoveMemberView,
    WithdrawInvitationView,
)
from accounts.views.sessions import ChooseCompanyView

__all__ = [
    "ChangeRoleView",
    "ChooseCompanyView",
    "CompanySettingsView",
    "InvitationView",
    "InviteView",
    "LogoView",
    "MembersView",
    "RemoveLogoView",
    "RemoveMemberView",
    "UploadLogoView",
    "WithdrawInvitationView",
]
