"""Money received: against an invoice, or on account (a "General Payment")."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.scoping import ActiveCompanyManager, CompanyManager, CompanyOwned
from billing.models.fields import amount_field, begins_with
from billing.models.invoices import Invoice
from billing.models.parties import Party


class PaymentMethod(models.TextChoices):
    BANK = "bank", "bank transfer"
    CASH = "cash", "cash"
    CARD = "card", "card"
    CHEQUE = "cheque", "cheque"
    OTHER = "other", "other"


class Payment(CompanyOwned):
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(
        Invoice,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payments",
        help_text="Empty: a General Payment, on account.",
    )
    payment_number = models.CharField(max_length=60)
    payment_date = models.DateField()
    amount = amount_field()
    currency = models.CharField(max_length=3)
    method = models.CharField(
        max_length=10, choices=PaymentMethod.choices, default=PaymentMethod.BANK
    )
    reference = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    is_active = models.BooleanField(default=True)

    objects: ClassVar[ActiveCompanyManager[Self]] = ActiveCompanyManager()
    all_objects: ClassVar[CompanyManager[Self]] = CompanyManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "payment_number"], name="payment_number_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="payment_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(voided_at=None) | ~models.Q(void_reason=""),
                name="payment_void_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-payment_date", "-id"], name="payment_by_date"),
            models.Index(fields=["company", "party", "payment_date"], name="payment_by_party"),
            models.Index(fields=["company", "amount", "id"], name="payment_by_amount"),
            models.Index(fields=["company", "payment_number", "id"], name="payment_by_number"),
            # All that a balance is added up from, in order: the table itself is not read.
            models.Index(
                fields=["company", "party", "amount"],
                condition=models.Q(is_active=True, voided_at=None),
                name="payment_sums",
            ),
            begins_with("payment_number", name="payment_number_begins"),
            begins_with("reference", name="payment_reference_begins"),
        ]

    def __str__(self) -> str:
        return self.payment_number

    def get_absolute_url(self) -> str:
        return reverse("billing:payment_detail", args=[self.pk])
