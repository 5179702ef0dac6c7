"""Money: the only place that rounds. docs/money.md states the policy with worked examples.

Amounts are Decimal. A line is rounded half-up to the currency's minor unit; tax is computed per
rate on the summed net (EN 16931); the header's totals are the sums of these parts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.numbers import get_currency_precision

ZERO = Decimal(0)
LARGEST = Decimal(10) ** 15  # an amount is less than this: the columns hold no more digits
LARGEST_DOCUMENT = Decimal(10) ** 13  # a hundred of these still fit into a balance
_HUNDRED = Decimal(100)


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for GBP, 1 for JPY, 0.001 for BHD (CLDR)."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Half-up, away from zero at the half, to the currency's minor unit; never a negative zero."""
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP) + ZERO


def round_to_step(amount: Decimal, step: Decimal) -> Decimal:
    """Half-up to a multiple of `step`, such as 0.05 where the smallest coin is that."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def as_text(amount: Decimal, currency: str) -> str:
    """The amount as a snapshot holds it: all minor digits, a point, no sign of the currency."""
    return format(round_money(amount, currency), "f")


@dataclass(frozen=True)
class LineAmount:
    """What a line is computed from. `net` is what `line_amount` made of it, already rounded."""

    net: Decimal
    tax_rate: Decimal


def line_amount(
    *,
    quantity: Decimal,
    unit_price: Decimal,
    currency: str,
    discount_percent: Decimal = ZERO,
    discount_amount: Decimal = ZERO,
) -> Decimal:
    """Quantity times price less the line's discount, rounded once, at the end."""
    full = quantity * unit_price
    reduced = full - full * discount_percent / _HUNDRED - discount_amount
    return round_money(reduced, currency)


@dataclass(frozen=True)
class Totals:
    """A document's header. total = net + tax + rounding; net and tax are sums over the rates."""

    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    net: Decimal
    tax: Decimal
    rounding: Decimal
    total: Decimal
    by_rate: Mapping[Decimal, tuple[Decimal, Decimal]] = field(default_factory=dict)


def compute_totals(
    lines: Sequence[LineAmount],
    *,
    currency: str,
    prices_include_tax: bool = False,
    discount_percent: Decimal = ZERO,
    discount_amount: Decimal = ZERO,
    shipping: Decimal = ZERO,
    shipping_tax_rate: Decimal = ZERO,
    rounding_step: Decimal = ZERO,
) -> Totals:
    """The header of a document with these lines. `by_rate` maps a tax rate to (net, tax)."""
    subtotal = total(line.net for line in lines)
    discount = round_money(subtotal * discount_percent / _HUNDRED + discount_amount, currency)
    shipping = round_money(shipping, currency)
    bases = _bases(lines, discount, currency)
    if shipping:
        bases[shipping_tax_rate] += shipping
    by_rate = {
        rate: _net_and_tax(base, rate, currency, prices_include_tax)
        for rate, base in sorted(bases.items())
    }
    net = total(parts[0] for parts in by_rate.values())
    tax = total(parts[1] for parts in by_rate.values())
    rounded = round_to_step(net + tax, rounding_step) if rounding_step else net + tax
    return Totals(
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        net=net,
        tax=tax,
        rounding=rounded - net - tax,
        total=rounded,
        by_rate=by_rate,
    )


def _bases(
    lines: Sequence[LineAmount], discount: Decimal, currency: str
) -> defaultdict[Decimal, Decimal]:
    """The sum of the lines per tax rate, less the document's discount in proportion."""
    sums = _by_rate(lines)
    for rate, share in apportion(discount, sums, currency).items():
        sums[rate] -= share
    return sums


def share_of_line(*, net: Decimal, part: Decimal, quantity: Decimal, currency: str) -> Decimal:
    """What `part` of a line's quantity is worth; all of it is exactly its rounded net."""
    if part == quantity:
        return net
    return round_money(net * part / quantity, currency)


def goods_value(
    part: Sequence[LineAmount],
    *,
    of: Sequence[LineAmount],
    discount: Decimal,
    currency: str,
    prices_include_tax: bool,
) -> tuple[Decimal, Decimal]:
    """(net, tax) of a part of a document's goods, after its share of the document's discount.

    `of` are all the lines, `discount` the document's rounded one. All of the goods come to exactly
    what the document has for them, without its shipping and its rounding.
    """
    sums = _by_rate(of)
    shares = apportion(discount, sums, currency)
    net = tax = ZERO
    for rate, amount in _by_rate(part).items():
        share = shares.get(rate, ZERO)
        reduced = amount - round_money(share * amount / sums[rate], currency) if share else amount
        parts = _net_and_tax(reduced, rate, currency, prices_include_tax)
        net, tax = net + parts[0], tax + parts[1]
    return net, tax


def adding_up_to(
    by_rate: Mapping[Decimal, tuple[Decimal, Decimal]], *, net: Decimal, tax: Decimal
) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """`by_rate` with what it misses of (net, tax) given to the rate that has the most tax.

    Goods that come back in pieces are posted as the rest of what they come to together, from which
    a piece's own lines may be minor units away.
    """
    rest = (
        net - total(parts[0] for parts in by_rate.values()),
        tax - total(parts[1] for parts in by_rate.values()),
    )
    most = max(by_rate, key=lambda rate: (by_rate[rate][1], by_rate[rate][0]))
    return {**by_rate, most: (by_rate[most][0] + rest[0], by_rate[most][1] + rest[1])}


def _by_rate(lines: Iterable[LineAmount]) -> defaultdict[Decimal, Decimal]:
    sums: defaultdict[Decimal, Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line.tax_rate] += line.net
    return sums


def apportion(
    amount: Decimal, weights: Mapping[Decimal, Decimal], currency: str
) -> dict[Decimal, Decimal]:
    """Split `amount` in proportion to `weights`; the shares add up to it to the last minor unit."""
    whole = total(weights.values())
    if not amount or not whole:
        return {}
    shares: dict[Decimal, Decimal] = {}
    left, left_weight = amount, whole
    for key in sorted(weights):
        share = round_money(left * weights[key] / left_weight, currency) if left_weight else ZERO
        shares[key] = share
        left, left_weight = left - share, left_weight - weights[key]
    return shares


def _net_and_tax(
    base: Decimal, rate: Decimal, currency: str, prices_include_tax: bool
) -> tuple[Decimal, Decimal]:
    if prices_include_tax:
        tax = round_money(base * rate / (_HUNDRED + rate), currency)
        return base - tax, tax
    return base, round_money(base * rate / _HUNDRED, currency)
