"""Which part of a payment or return settles which invoice, and since when.

What a payment or return was not applied to is the party's unapplied credit. The date makes the
ageing of a past day exact: what was applied later does not count on it.
"""

from django.db import models

from accounts.scoping import CompanyOwned
from billing.models.fields import amount_field
from billing.models.invoices import Invoice
from billing.models.payments import Payment
from billing.models.returns import Return


class Allocation(CompanyOwned):
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(
        Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations"
    )
    return_document = models.ForeignKey(
        Return, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations"
    )
    amount = amount_field()
    applied_on = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="allocation_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(payment__isnull=True) ^ models.Q(return_document__isnull=True),
                name="allocation_has_one_source",
            ),
        ]
        indexes = [models.Index(fields=["invoice", "applied_on"], name="allocation_by_invoice")]

    def __str__(self) -> str:
        return f"{self.amount} to {self.invoice_id}"
