"""Goods that came back: a credit to the party, against an invoice or on account."""

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
from billing.models.invoices import Invoice, InvoiceItem
from billing.models.parties import Party


class Return(CompanyOwned):
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="returns")
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="returns"
    )
    return_number = models.CharField(max_length=60)
    return_date = models.DateField()
    reason = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=3)
    prices_include_tax = models.BooleanField(default=False)
    net = amount_field()
    tax = amount_field()
    total = amount_field()
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
                fields=["company", "return_number"], name="return_number_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(total__gte=0), name="return_total_not_negative"
            ),
            is_sum("return_total_is_its_parts", "total", models.F("net") + models.F("tax")),
        ]
        indexes = [
            models.Index(fields=["company", "-return_date", "-id"], name="return_by_date"),
            models.Index(fields=["company", "party", "return_date"], name="return_by_party"),
            models.Index(fields=["company", "total", "id"], name="return_by_total"),
            models.Index(fields=["company", "return_number", "id"], name="return_by_number"),
            # All that a balance is added up from, in order: the table itself is not read.
            models.Index(
                fields=["company", "party", "total"],
                condition=models.Q(is_active=True),
                name="return_sums",
            ),
            begins_with("return_number", name="return_number_begins"),
        ]

    def __str__(self) -> str:
        return self.return_number

    def get_absolute_url(self) -> str:
        return reverse("billing:return_detail", args=[self.pk])


class ReturnItem(models.Model):
    # Named so, since `return` is a word of the language.
    return_document = models.ForeignKey(Return, on_delete=models.CASCADE, related_name="items")
    invoice_item = models.ForeignKey(
        InvoiceItem, null=True, blank=True, on_delete=models.PROTECT, related_name="returned_in"
    )
    position = models.PositiveIntegerField()
    sku = models.CharField("SKU", max_length=60, blank=True)
    description = models.TextField()
    quantity = quantity_field()
    unit_price = price_field()
    tax_rate = percent_field()
    net = amount_field(help_text="The line's amount, rounded; with tax if the prices include it.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["return_document", "position"],
                name="return_item_position_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0, unit_price__gte=0, net__gte=0),
                name="return_item_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.description}"
