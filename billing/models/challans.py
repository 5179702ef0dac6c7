"""The delivery challan: goods on their way, printed without prices, invoiced later."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.scoping import ActiveCompanyManager, CompanyManager, CompanyOwned
from billing.models.fields import begins_with, percent_field, price_field, quantity_field
from billing.models.invoices import Invoice
from billing.models.parties import Party


class ChallanState(models.TextChoices):
    OPEN = "open", "open"
    DELIVERED = "delivered", "delivered"
    INVOICED = "invoiced", "invoiced"
    CANCELLED = "cancelled", "cancelled"


class Challan(CompanyOwned):
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="challans")
    challan_number = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=ChallanState.choices, default=ChallanState.OPEN)
    challan_date = models.DateField()
    delivered_on = models.DateField(null=True, blank=True)
    vehicle = models.CharField(max_length=60, blank=True)
    driver = models.CharField(max_length=100, blank=True)
    place = models.TextField("place of delivery", blank=True)
    reference = models.CharField(max_length=100, blank=True, help_text="The customer's order.")
    notes = models.TextField(blank=True)
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="challans"
    )
    billed_by = models.ManyToManyField(
        Invoice,
        blank=True,
        editable=False,
        related_name="challans_ever",
        help_text="All that ever billed it: deleted drafts and void ones too.",
    )
    cancel_reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    is_active = models.BooleanField(default=True)

    objects: ClassVar[ActiveCompanyManager[Self]] = ActiveCompanyManager()
    all_objects: ClassVar[CompanyManager[Self]] = CompanyManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "challan_number"], name="challan_number_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(state=ChallanState.INVOICED, invoice__isnull=False)
                | (~models.Q(state=ChallanState.INVOICED) & models.Q(invoice__isnull=True)),
                name="challan_invoiced_has_invoice",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=ChallanState.CANCELLED) | ~models.Q(cancel_reason=""),
                name="challan_cancelled_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-challan_date", "-id"], name="challan_by_date"),
            models.Index(fields=["company", "party", "state"], name="challan_by_party"),
            models.Index(fields=["company", "state", "challan_date"], name="challan_by_state"),
            models.Index(fields=["company", "challan_number", "id"], name="challan_by_number"),
            begins_with("challan_number", name="challan_number_begins"),
            begins_with("reference", name="challan_reference_begins"),
        ]

    def __str__(self) -> str:
        return self.challan_number

    def get_absolute_url(self) -> str:
        return reverse("billing:challan_detail", args=[self.pk])


class ChallanItem(models.Model):
    challan = models.ForeignKey(Challan, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    sku = models.CharField("SKU", max_length=60, blank=True)
    description = models.TextField()
    quantity = quantity_field()
    unit = models.CharField(max_length=20, blank=True)
    # For the invoice; the challan itself is printed without prices.
    unit_price = price_field(default=0)
    tax_rate = percent_field()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["challan", "position"], name="challan_item_position_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0, unit_price__gte=0),
                name="challan_item_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.description}"
