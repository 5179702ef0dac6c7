"""Recording money received, and taking that back."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from billing.audit import acting
from billing.dates import today
from billing.models import Invoice, Party, Payment, PaymentMethod, Series
from billing.money import total
from billing.numbering import take_number
from billing.services.balances import Movement, move_balances
from billing.services.checking import given_reason, require_day
from billing.services.periods import require_open
from billing.services.settling import (
    lock_invoice,
    lock_source,
    release,
    require_amount,
    require_party,
    settle,
)

MOST_ALLOCATIONS = 1000
Share = tuple[Invoice, Decimal]


def record_payment(
    *,
    party: Party,
    amount: Decimal,
    payment_date: date,
    by: User | None,
    invoice: Invoice | None = None,
    allocations: Sequence[Share] = (),
    method: PaymentMethod | str = PaymentMethod.BANK,
    reference: str = "",
    notes: str = "",
    key: UUID | None = None,
) -> Payment:
    """A payment of the party: all of it against `invoice`, or spread over several as
    `allocations` say, or on account. What is spread over none is on account. `key` is its primary
    key, so that whoever asks with the same one again makes no second payment.

    Raises ValidationError, by field: an amount that is not positive, not in whole minor units or
    more than an invoice's balance due; allocations that are more than the amount; a date in the
    future or in closed books; an invoice of somebody else.
    """
    company = party.company
    require_amount(amount, company.currency)
    if require_day(payment_date, "payment_date") > today(company):
        raise ValidationError({"payment_date": "The date is in the future."})
    if invoice is not None:
        if allocations:
            raise ValidationError({"allocations": "Name one invoice, or spread the payment."})
        allocations = [(invoice, amount)]
    else:
        _check_shares(allocations, amount, company.currency)
    payment = Payment(
        id=key or uuid4(),
        company=company,
        party=party,
        invoice=invoice or _only_one(allocations, amount),
        amount=amount,
        currency=company.currency,
        payment_date=payment_date,
        method=method,
        reference=reference,
        notes=notes,
        created_by=by,
    )
    payment.clean_fields(exclude=["company", "party", "invoice", "payment_number", "created_by"])
    with acting(by), transaction.atomic():
        _post(payment, allocations, "amount" if invoice else "allocations")
    return payment


def _post(payment: Payment, shares: Sequence[Share], field: str) -> None:
    company, day = payment.company, payment.payment_date
    require_open(company=company, day=day, field="payment_date")
    # In the order of the keys: see lock_invoices.
    locked = [
        (lock_invoice(invoice), share)
        for invoice, share in sorted(shares, key=lambda pair: pair[0].pk)
    ]
    for invoice, _ in locked:
        require_party(invoice, payment.party_id)
    payment.payment_number = take_number(company=company, series=Series.PAYMENT, day=day)
    payment.save(force_insert=True)
    for invoice, share in locked:
        settle(source=payment, invoice=invoice, amount=share, day=day, field=field)
    move_balances(company=company, movements={payment.party_id: Movement(paid=payment.amount)})


def _check_shares(shares: Sequence[Share], amount: Decimal, currency: str) -> None:
    if len(shares) > MOST_ALLOCATIONS:
        raise ValidationError({"allocations": f"At most {MOST_ALLOCATIONS:,} invoices."})
    if len({invoice.pk for invoice, _ in shares}) < len(shares):
        raise ValidationError({"allocations": "An invoice is named twice."})
    for _, share in shares:
        require_amount(share, currency, "allocations")
    spread = total(share for _, share in shares)
    if spread > amount:
        raise ValidationError(
            {"allocations": f"{spread} is more than the payment's amount of {amount}."}
        )


def _only_one(shares: Sequence[Share], amount: Decimal) -> Invoice | None:
    return shares[0][0] if len(shares) == 1 and shares[0][1] == amount else None


def void_payment(*, payment: Payment, reason: str, by: User | None) -> Payment:
    """The payment as a void one: what it settled is due again, and the balance as before it.

    Raises ValidationError, by field: no reason, void already, closed books.
    """
    reason = given_reason(reason)
    with acting(by), transaction.atomic():
        locked = lock_source(payment)
        require_open(company=locked.company, day=locked.payment_date, field="payment_date")
        release(locked, by)
        locked.voided_at, locked.void_reason = now(), reason
        locked.save(update_fields=["voided_at", "void_reason"])
        move_balances(
            company=locked.company, movements={locked.party_id: Movement(paid=-locked.amount)}
        )
    return locked
