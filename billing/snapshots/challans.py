"""A challan as it travels with the goods: no price on it anywhere."""

from collections.abc import Sequence

from billing.models import Challan, ChallanItem, ChallanState
from billing.snapshots.facts import Facts, block_of, exact, lines_of, paper_facts
from documents.papers import Snapshot


def challan_snapshot(*, issuer: Facts, challan: Challan, items: Sequence[ChallanItem]) -> Snapshot:
    """That it was invoiced is no fact of this paper: what was signed stays as it is."""
    cancelled = challan.state == ChallanState.CANCELLED or not challan.is_active
    delivered = challan.delivered_on.isoformat() if challan.delivered_on else ""
    return {
        **paper_facts(issuer, challan.company, challan.party, challan.company.currency),
        "state": "cancelled" if cancelled else "delivered" if delivered else "open",
        "cancel_reason": challan.cancel_reason,
        "number": challan.challan_number,
        "date": challan.challan_date.isoformat(),
        "delivered_on": delivered,
        "reference": challan.reference,
        "vehicle": challan.vehicle,
        "driver": challan.driver,
        "place_lines": lines_of(challan.place),
        "items": [_item(item) for item in items],
        "notes": block_of(challan.notes),
    }


def _item(item: ChallanItem) -> list[str]:
    """[sku, description, quantity, unit]."""
    return [item.sku, block_of(item.description), exact(item.quantity), item.unit]
