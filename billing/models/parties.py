"""The party: a customer of a company."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.urls import reverse

from accounts.models.companies import validate_country
from accounts.scoping import ActiveCompanyManager, CompanyManager, CompanyOwned


class Party(CompanyOwned):
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    email = models.EmailField("e-mail", blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True, help_text="One line of the address a line.")
    country = models.CharField(max_length=2, blank=True, validators=[validate_country])
    tax_id = models.CharField("tax id", max_length=50, blank=True)
    locale = models.CharField(
        max_length=20, blank=True, help_text="Of the papers; empty: as the company's."
    )
    payment_terms_days = models.PositiveSmallIntegerField(
        default=30, validators=[MaxValueValidator(3650)]
    )
    credit_limit = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    is_active = models.BooleanField(default=True)

    objects: ClassVar[ActiveCompanyManager[Self]] = ActiveCompanyManager()
    all_objects: ClassVar[CompanyManager[Self]] = CompanyManager()

    class Meta:
        verbose_name_plural = "parties"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "code"],
                name="party_code_unique",
                violation_error_message="There is a party with this code already.",
            ),
            models.CheckConstraint(condition=~models.Q(code=""), name="party_code_given"),
        ]
        indexes = [models.Index(fields=["company", "name", "id"], name="party_by_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    def get_absolute_url(self) -> str:
        return reverse("billing:party_detail", args=[self.pk])

    @property
    def address_lines(self) -> list[str]:
        return [line.strip() for line in self.address.splitlines() if line.strip()]
