"""What a party owes: one materialised row, moved by each posting in its own transaction."""

from django.db import models

from accounts.scoping import CompanyOwned
from billing.models.fields import amount_field, is_sum
from billing.models.parties import Party


class Balance(CompanyOwned):
    party = models.OneToOneField(Party, on_delete=models.PROTECT, related_name="balance")
    opening = amount_field(help_text="What was owed when the party was taken over.")
    opening_date = models.DateField(null=True, blank=True)
    invoiced = amount_field()
    returned = amount_field()
    paid = amount_field()
    current = amount_field()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            is_sum(
                "balance_current_is_its_parts",
                "current",
                models.F("opening")
                + models.F("invoiced")
                - models.F("returned")
                - models.F("paid"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.party_id}: {self.current}"
