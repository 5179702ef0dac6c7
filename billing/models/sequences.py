"""The counters that numbers are taken from; billing.numbering is the only place that does."""

from django.db import models

from accounts.scoping import CompanyOwned


class Series(models.TextChoices):
    INVOICE = "INV", "invoices"
    PAYMENT = "PAY", "payment receipts"
    RETURN = "RET", "returns"
    CHALLAN = "CH", "delivery challans"


class NumberSequence(CompanyOwned):
    series = models.CharField(max_length=10, choices=Series.choices)
    fiscal_year = models.PositiveIntegerField(help_text="The year in which it begins.")
    next_number = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "series", "fiscal_year"], name="number_sequence_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(next_number__gte=1), name="number_sequence_starts_at_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.fiscal_year}: {self.next_number}"
