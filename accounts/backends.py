"""Loads the user, the memberships and their companies in one query a request."""

from typing import Any
from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import Membership, User


class MembershipBackend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: Any) -> User | None:
        memberships = list(
            Membership.objects.filter(user_id=UUID(str(user_id)))
            .select_related("user", "company")
            .order_by("company__legal_name", "pk")
        )
        user = memberships[0].user if memberships else User.objects.filter(pk=user_id).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        user.loaded_memberships = memberships
        return user
