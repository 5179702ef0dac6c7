"""What changes companies, their members and their invitations."""

from accounts.services.companies import change_company, remove_logo, set_logo
from accounts.services.invitations import (
    accept_invitation,
    find_invitation,
    invite,
    join,
    withdraw_invitation,
)
from accounts.services.members import change_role, remove_member
from accounts.services.sessions import clear_ended_sessions

__all__ = [
    "accept_invitation",
    "change_company",
    "change_role",
    "clear_ended_sessions",
    "find_invitation",
    "invite",
    "join",
    "remove_logo",
    "remove_member",
    "set_logo",
    "withdraw_invitation",
]
