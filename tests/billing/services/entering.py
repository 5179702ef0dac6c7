"""What is entered: unsaved items, drafts and challans, and what a refusal was about."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from billing.models import Challan, ChallanItem, Invoice, InvoiceItem, Party
from billing.services import deliver_challan, issue_invoice, save_challan, save_draft
from tests.billing.factories import DAY

D = Decimal


def item(price: str = "100", quantity: str = "1", tax: str = "0", **options: Any) -> InvoiceItem:
    return InvoiceItem(
        **{
            "description": "Oak board",
            "quantity": D(quantity),
            "unit_price": D(price),
            "tax_rate": D(tax),
            **options,
        }
    )


def new_draft(party: Party, **options: Any) -> Invoice:
    """As a form makes it, not saved."""
    return Invoice(company=party.company, party=party, **{"invoice_date": DAY, **options})


def entered(party: Party, *items: InvoiceItem, **options: Any) -> Invoice:
    draft = new_draft(party, **options)
    return save_draft(invoice=draft, items=list(items) or [item()], by=None)


def issued(party: Party, *items: InvoiceItem, **options: Any) -> Invoice:
    return issue_invoice(invoice=entered(party, *items, **options), by=None)


def goods(quantity: str = "2", **options: Any) -> ChallanItem:
    return ChallanItem(
        **{"description": "Jug", "quantity": D(quantity), "unit_price": D("7.50"), **options}
    )


def open_challan(party: Party, *items: ChallanItem, day: date = DAY, **options: Any) -> Challan:
    challan = Challan(company=party.company, party=party, challan_date=day, **options)
    return save_challan(challan=challan, items=list(items) or [goods()], by=None)


def delivered_challan(party: Party, *items: ChallanItem, day: date = DAY) -> Challan:
    challan = open_challan(party, *items, day=day)
    return deliver_challan(challan=challan, delivered_on=day, by=None)


def refusal(action: Callable[[], object]) -> tuple[str, str]:
    """(field, message) of the one thing that the action is refused for."""
    with pytest.raises(ValidationError) as refused:
        action()
    if not hasattr(refused.value, "error_dict"):
        return NON_FIELD_ERRORS, " ".join(refused.value.messages)
    [(field, messages)] = refused.value.message_dict.items()
    return field, " ".join(messages)


def refused_for(action: Callable[[], object]) -> str:
    return refusal(action)[0]
