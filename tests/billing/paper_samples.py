"""Records in memory, and their papers: what is printed needs no database."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Company
from billing import snapshots
from billing.models import (
    Allocation,
    Challan,
    ChallanItem,
    Invoice,
    InvoiceItem,
    Party,
    Payment,
    Return,
    ReturnItem,
)
from billing.money import LineAmount, compute_totals, line_amount
from documents.rendering import Rendered, render_paper

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 11, 12, tzinfo=ZoneInfo("UTC"))
GOODS = [
    ("HV-1001", "Beeswax candle, hand dipped, 25 cm", "4.35", "pcs"),
    ("HV-1014", "Enamel jug, 1.5 l, white", "11.90", "pcs"),
    (
        "HV-1219",
        "Wool throw, herringbone, undyed, with a fringe on both of its short sides",
        "34",
        "",
    ),
    ("HV-1166", "Seed packet, wildflower meadow", "0.335", "box"),
]


def company(**changes: Any) -> Company:
    facts = {
        "legal_name": "Northgate Giftware Ltd",
        "address": "Unit 4, Canal Wharf\n18 Brewery Lane\nLeeds\nLS10 1NE",
        "country": "GB",
        "tax_id": "GB 293 8471 22",
        "email": "accounts@northgate.example",
        "phone": "+44 113 496 0000",
        "payment_details": "IBAN GB29 NWBK 6016 1331 9268 19\nPlease quote the invoice number.",
    }
    return Company(**{**facts, **changes})


def party(of: Company | None = None, **changes: Any) -> Party:
    facts = {
        "code": "C-17850",
        "name": "Harbour & Hill Interiors",
        "address": "The Old Foundry\n27 Quayside Road\nBristol\nBS1 6UN",
        "country": "GB",
        "tax_id": "GB 118 2201 09",
        "email": "ap@harbour.example",
    }
    return Party(company=of or company(), **{**facts, **changes})


def bare() -> Party:
    """A party of a company, neither of which has more than a name."""
    return Party(company=Company(legal_name="Bare Ltd"), code="B", name="Somebody")


def invoice_snapshot(lines: int = 3, of: Party | None = None, **changes: Any) -> dict[str, Any]:
    """An issued invoice of so many lines at 20 %, every fourth of them at 5 %."""
    of = of or party()
    facts = {
        "state": "issued",
        "invoice_number": "INV-2026-00042",
        "invoice_date": DAY,
        "due_date": date(2026, 4, 9),
        "currency": of.company.currency,
        "prices_include_tax": False,
        **dict.fromkeys(("discount_percent", "discount_amount", "shipping"), Decimal(0)),
        **dict.fromkeys(("shipping_tax_rate", "paid", "returned"), Decimal(0)),
    }
    each = changes.pop("each", {})
    step = changes.pop("rounding_step", Decimal(0))
    invoice = Invoice(company=of.company, party=of, **{**facts, **changes})
    items = [_item(invoice, place, **each) for place in range(lines)]
    totals = compute_totals(
        [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items],
        currency=invoice.currency,
        prices_include_tax=invoice.prices_include_tax,
        discount_percent=invoice.discount_percent,
        discount_amount=invoice.discount_amount,
        shipping=invoice.shipping,
        shipping_tax_rate=invoice.shipping_tax_rate,
        rounding_step=step,
    )
    return snapshots.invoice_snapshot(
        issuer=snapshots.company_facts(of.company), invoice=invoice, items=items, totals=totals
    )


def _item(invoice: Invoice, place: int, **changes: Any) -> InvoiceItem:
    sku, description, price, unit = GOODS[place % len(GOODS)]
    facts = {
        "sku": sku,
        "description": description,
        "unit": unit,
        "quantity": Decimal(place % 7 + 1),
        "unit_price": Decimal(price),
        "tax_rate": Decimal(5) if place % 4 == 3 else Decimal(20),
        "discount_percent": Decimal(0),
        "discount_amount": Decimal(0),
    }
    item = InvoiceItem(position=place + 1, **{**facts, **changes})
    item.net = line_amount(
        quantity=item.quantity,
        unit_price=item.unit_price,
        currency=invoice.currency,
        discount_percent=item.discount_percent,
        discount_amount=item.discount_amount,
    )
    return item


def an_invoice(of: Party, number: str = "INV-2026-00042", total: str = "120") -> Invoice:
    return Invoice(
        company=of.company,
        party=of,
        invoice_number=number,
        invoice_date=DAY,
        currency=of.company.currency,
        total=Decimal(total),
    )


def receipt_snapshot(
    applied: tuple[str, ...] = (), of: Party | None = None, amount: str = "100", **changes: Any
) -> dict[str, Any]:
    """A payment of which so much was applied to an invoice each; none: a General Payment."""
    of = of or party()
    invoices = [an_invoice(of, f"INV-2026-{place:05}") for place, _ in enumerate(applied, 1)]
    payment = Payment(
        company=of.company,
        party=of,
        invoice=invoices[0] if len(invoices) == 1 else None,
        payment_number="PAY-2026-00007",
        payment_date=DAY,
        amount=Decimal(amount),
        currency=of.company.currency,
        **changes,
    )
    allocations = [
        Allocation(invoice=invoice, payment=payment, amount=Decimal(part))
        for invoice, part in zip(invoices, applied, strict=True)
    ]
    return snapshots.receipt_snapshot(
        issuer=snapshots.company_facts(of.company), payment=payment, allocations=allocations
    )


def return_snapshot(
    lines: int = 2, of: Party | None = None, credited: str = "", **changes: Any
) -> dict[str, Any]:
    of = of or party()
    invoice = an_invoice(of) if credited else None
    document = Return(
        company=of.company,
        party=of,
        invoice=invoice,
        return_number="RET-2026-00003",
        return_date=DAY,
        currency=of.company.currency,
        **{"reason": "Broken in transit", **changes},
    )
    items = [
        ReturnItem(
            position=place + 1,
            sku=GOODS[place % 4][0],
            description=GOODS[place % 4][1],
            quantity=Decimal(2),
            unit_price=Decimal(GOODS[place % 4][2]),
            tax_rate=Decimal(20),
        )
        for place in range(lines)
    ]
    for item in items:
        item.net = line_amount(
            quantity=item.quantity, unit_price=item.unit_price, currency=document.currency
        )
    totals = compute_totals(
        [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items],
        currency=document.currency,
    )
    document.total = totals.total
    allocations = [Allocation(invoice=invoice, amount=Decimal(credited))] if invoice else []
    return snapshots.return_snapshot(
        issuer=snapshots.company_facts(of.company),
        return_document=document,
        items=items,
        totals=totals,
        allocations=allocations,
    )


def challan_snapshot(lines: int = 3, of: Party | None = None, **changes: Any) -> dict[str, Any]:
    of = of or party()
    facts = {
        "state": "open",
        "challan_number": "CH-2026-00011",
        "challan_date": DAY,
        "vehicle": "YK19 ABC",
        "driver": "Sam Weller",
        "place": "Loading bay 3\nQuayside Road",
    }
    challan = Challan(company=of.company, party=of, **{**facts, **changes})
    items = [
        ChallanItem(
            position=place + 1,
            sku=GOODS[place % 4][0],
            description=GOODS[place % 4][1],
            quantity=Decimal("12.5"),
            unit=GOODS[place % 4][3],
            unit_price=Decimal("98765.43"),
        )
        for place in range(lines)
    ]
    return snapshots.challan_snapshot(
        issuer=snapshots.company_facts(of.company), challan=challan, items=items
    )


SNAPSHOTS: dict[str, Callable[..., dict[str, Any]]] = {
    "invoice": invoice_snapshot,
    "payment_receipt": receipt_snapshot,
    "return_receipt": return_snapshot,
    "challan": challan_snapshot,
}


def printed(kind: str, *args: Any, **options: Any) -> Rendered:
    """`printed("invoice", 60, shipping=Decimal(5))`."""
    snapshot = SNAPSHOTS[kind](*args, **options)
    return render_paper(template=f"pdf/{kind}.html", snapshot=snapshot, assets={})
