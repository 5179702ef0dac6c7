"""Users, the companies they work for, and in which role."""

from accounts.models.companies import Company, PageSize
from accounts.models.invitations import Invitation
from accounts.models.memberships import Membership, Role
from accounts.models.users import User

__all__ = ["Company", "Invitation", "Membership", "PageSize", "Role", "User"]
