"""The invoice and its items."""

from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.scoping import ActiveCompanyManager, CompanyManager, CompanyOwned
from billing.models.fields import (
    amount_field,
    begins_with,
    is_sum,
    percent_field,
    price_field,
    quantity_field,
)
from billing.models.parties import Party


class InvoiceState(models.TextChoices):
    DRAFT = "draft", "draft"
    ISSUED = "issued", "issued"
    PART_PAID = "part-paid", "part-paid"
    PAID = "paid", "paid"
    VOID = "void", "void"


# The states in which an invoice counts in the party's account.
POSTED_STATES = (InvoiceState.ISSUED, InvoiceState.PART_PAID, InvoiceState.PAID)


class Invoice(CompanyOwned):
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="invoices")
    invoice_number = models.CharField(max_length=60, blank=True, help_text="Taken at issue.")
    state = models.CharField(
        max_length=10, choices=InvoiceState.choices, default=InvoiceState.DRAFT
    )
    invoice_date = models.DateField()
    due_date = models.DateField()
    reference = models.CharField(max_length=100, blank=True, help_text="The customer's order.")
    currency = models.CharField(max_length=3)
    prices_include_tax = models.BooleanField(default=False)
    discount_percent = percent_field()
    discount_amount = amount_field()
    shipping = amount_field()
    shipping_tax_rate = percent_field()
    notes = models.TextField(blank=True)
    terms = models.TextField(blank=True)
    # What billing.money made of the above when it was last saved.
    subtotal = amount_field()
    discount = amount_field()
    net = amount_field()
    tax = amount_field()
    rounding = amount_field()
    total = amount_field()
    # What payments and returns were applied to it.
    paid = amount_field()
    returned = amount_field()
    billed_to = models.JSONField(
        null=True, editable=False, help_text="The party as it was at issue, for the paper."
    )
    issued_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)
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
                fields=["company", "invoice_number"],
                condition=~models.Q(invoice_number=""),
                name="invoice_number_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(state=InvoiceState.DRAFT) | ~models.Q(invoice_number=""),
                name="invoice_issued_has_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=InvoiceState.DRAFT) | models.Q(invoice_number=""),
                name="invoice_draft_has_no_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=InvoiceState.VOID) | ~models.Q(void_reason=""),
                name="invoice_void_has_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(total__gte=0, paid__gte=0, returned__gte=0),
                name="invoice_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    total__gt=models.F("paid") + models.F("returned") - Decimal("0.0005")
                ),
                name="invoice_not_over_settled",
            ),
            is_sum(
                "invoice_total_is_its_parts",
                "total",
                models.F("net") + models.F("tax") + models.F("rounding"),
            ),
        ]
        indexes = [
            models.Index(fields=["company", "-invoice_date", "-id"], name="invoice_by_date"),
            models.Index(fields=["company", "party", "invoice_date"], name="invoice_by_party"),
            models.Index(fields=["company", "state", "due_date"], name="invoice_by_state"),
            models.Index(fields=["company", "due_date", "id"], name="invoice_by_due"),
            models.Index(fields=["company", "total", "id"], name="invoice_by_total"),
            models.Index(fields=["company", "invoice_number", "id"], name="invoice_by_number"),
            # All that a balance is added up from, in order: the table itself is not read.
            models.Index(
                fields=["company", "party", "total"],
                condition=models.Q(is_active=True, state__in=POSTED_STATES),
                name="invoice_sums",
            ),
            begins_with("invoice_number", name="invoice_number_begins"),
            begins_with("reference", name="invoice_reference_begins"),
        ]

    def __str__(self) -> str:
        return self.invoice_number or "Draft invoice"

    def get_absolute_url(self) -> str:
        return reverse("billing:invoice_detail", args=[self.pk])

    @property
    def due(self) -> Decimal:
        """What is still to be paid."""
        return Decimal(self.total) - Decimal(self.paid) - Decimal(self.returned)

    @property
    def is_posted(self) -> bool:
        return self.state in POSTED_STATES


class InvoiceItem(models.Model):
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    sku = models.CharField("SKU", max_length=60, blank=True)
    description = models.TextField()
    quantity = quantity_field()
    unit = models.CharField(max_length=20, blank=True)
    unit_price = price_field()
    discount_percent = percent_field()
    discount_amount = amount_field()
    tax_rate = percent_field()
    net = amount_field(help_text="The line's amount, rounded; with tax if the prices include it.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "position"],
                name="invoice_item_position_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0, unit_price__gte=0, net__gte=0),
                name="invoice_item_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(tax_rate__range=(0, 100), discount_percent__range=(0, 100)),
                name="invoice_item_rates_are_percents",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.description}"
