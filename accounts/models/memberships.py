"""Who may do what in which company."""

from django.conf import settings
from django.db import models

from accounts.models.companies import Company


class Role(models.IntegerChoices):
    """Ordered: each role may do what those below it may."""

    VIEWER = 10, "viewer"
    CLERK = 20, "clerk"
    ACCOUNTANT = 30, "accountant"
    OWNER = 40, "owner"


class Membership(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "company"], name="membership_once_per_company"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.company} · {self.get_role_display()}"

    def may_act_as(self, role: Role) -> bool:
        return self.role >= role
