"""Words for places in the snapshots, where what changed between two versions is shown."""

from collections.abc import Iterable, Mapping

_SHARED = {
    "locale": "Language",
    "page_size": "Page size",
    "company.legal_name": "Our name",
    "company.address_lines": "Our address",
    "company.country": "Our country",
    "company.tax_id": "Our tax number",
    "company.email": "Our e-mail",
    "company.phone": "Our telephone",
    "company.payment_details": "Payment details",
    "company.logo": "Logo",
    "party.code": "Party's code",
    "party.name": "Party's name",
    "party.address_lines": "Party's address",
    "party.country": "Party's country",
    "party.tax_id": "Party's tax number",
    "party.email": "Party's e-mail",
    "due_date": "Due date",
    "void_reason": "Why it is void",
    "prices_include_tax": "Prices include tax",
    "on_account": "On account",
    "totals.subtotal": "Subtotal",
    "totals.discount": "Discount",
    "totals.discount_percent": "Discount in percent",
    "totals.shipping": "Shipping",
    "totals.net": "Net",
    "totals.tax": "Tax",
    "totals.rounding": "Rounding",
    "totals.total": "Total",
    "totals.paid": "Paid",
    "totals.returned": "Returned",
    "totals.due": "Still due",
}


def _columns(place: str, names: Iterable[str]) -> Mapping[str, str]:
    return {f"{place}.{number}": name for number, name in enumerate(names)}


_TAXES = _columns("taxes", ("Rate", "Net", "Tax"))

STATEMENT = {
    **_SHARED,
    "period.start": "First day",
    "period.end": "Last day",
    "opening": "Opening balance",
    "closing": "Closing balance",
    "totals.debit": "All debits",
    "totals.credit": "All credits",
    "ageing.not_due": "Not due yet",
    "ageing.days_1_30": "1 to 30 days overdue",
    "ageing.days_31_60": "31 to 60 days overdue",
    "ageing.days_61_90": "61 to 90 days overdue",
    "ageing.over_90": "Over 90 days overdue",
    "ageing.unapplied": "Credit not applied",
    "ageing.total": "Balance, by age",
    **_columns("lines", ("Date", "Kind", "Reference", "Description", "Debit", "Credit", "Balance")),
}
INVOICE = {
    **_SHARED,
    **_TAXES,
    **_columns(
        "items",
        (
            "Code",
            "Description",
            "Quantity",
            "Unit",
            "Price",
            "Discount in percent",
            "Discount",
            "Tax rate",
            "Amount",
        ),
    ),
}
RECEIPT = {
    **_SHARED,
    "is_general": "General payment",
    "applied": "Applied to",
    **_columns("applied", ("Invoice", "Date", "Total", "Applied")),
}
CREDIT_NOTE = {
    **_SHARED,
    **_TAXES,
    "credited": "Credited to",
    **_columns("items", ("Code", "Description", "Quantity", "Price", "Tax rate", "Amount")),
    **_columns("credited", ("Invoice", "Amount")),
}
CHALLAN = {
    **_SHARED,
    "place_lines": "Place of delivery",
    "delivered_on": "Delivered on",
    "cancel_reason": "Why it is cancelled",
    **_columns("items", ("Code", "Description", "Quantity", "Unit")),
}
