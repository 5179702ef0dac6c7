"""Rounding, and what a document comes to."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import (
    LineAmount,
    adding_up_to,
    apportion,
    as_text,
    compute_totals,
    goods_value,
    line_amount,
    minor_unit,
    round_money,
    round_to_step,
    share_of_line,
    total,
)

D = Decimal
RATES = [D(0), D(5), D("7.7"), D(20)]


def of(*parts: tuple[str, str]) -> list[LineAmount]:
    return [LineAmount(net=D(net), tax_rate=D(rate)) for net, rate in parts]


class TestRounding:
    @pytest.mark.parametrize(
        ("exact", "rounded"),
        [
            ("0.005", "0.01"),
            ("0.015", "0.02"),
            ("0.025", "0.03"),
            ("0.0049999", "0.00"),
            ("-0.005", "-0.01"),
            ("-2.675", "-2.68"),
            ("1e-9", "0.00"),
        ],
    )
    def test_a_half_goes_away_from_zero(self, exact, rounded):
        assert str(round_money(D(exact), "GBP")) == rounded

    @pytest.mark.parametrize(
        ("currency", "unit", "text"),
        [("GBP", "0.01", "1234.57"), ("JPY", "1", "1235"), ("BHD", "0.001", "1234.568")],
    )
    def test_a_currency_has_its_own_minor_unit(self, currency, unit, text):
        assert minor_unit(currency) == D(unit)
        assert as_text(D("1234.5675"), currency) == text

    @pytest.mark.parametrize("amount", ["-0", "-0.00", "-0.004"])
    def test_nothing_is_ever_a_negative_zero(self, amount):
        assert as_text(D(amount), "GBP") == "0.00"
        assert not round_money(D(amount), "GBP").is_signed()

    @pytest.mark.parametrize(
        ("amount", "rounded"),
        [("1.02", "1.00"), ("1.025", "1.05"), ("1.07", "1.05"), ("1.08", "1.10")],
    )
    def test_a_step_rounds_half_up_to_its_multiples(self, amount, rounded):
        assert round_to_step(D(amount), D("0.05")) == D(rounded)

    def test_the_sum_of_no_amounts_is_an_amount(self):
        assert as_text(total([]), "GBP") == "0.00"

    def test_large_amounts_are_written_without_an_exponent(self):
        assert as_text(D("1E+12"), "GBP") == "1000000000000.00"


class TestLine:
    def test_a_line_is_rounded_once_at_the_end(self):
        assert line_amount(quantity=D("3"), unit_price=D("0.335"), currency="GBP") == D("1.01")

    def test_its_discounts_come_off_before_the_rounding(self):
        net = line_amount(
            quantity=D("3"),
            unit_price=D("9.99"),
            currency="GBP",
            discount_percent=D("12.5"),
            discount_amount=D("0.50"),
        )
        assert net == D("25.72")  # 29.97 - 3.74625 - 0.50 = 25.72375

    @pytest.mark.parametrize(("currency", "net"), [("JPY", "2"), ("BHD", "1.500")])
    def test_it_is_in_whole_minor_units_of_the_currency(self, currency, net):
        found = line_amount(quantity=D("1.5"), unit_price=D("1"), currency=currency)
        assert str(found) == net


class TestTotals:
    def test_tax_is_computed_per_rate_on_the_summed_net(self):
        totals = compute_totals(of(("0.02", "20"), ("0.02", "20"), ("0.02", "20")), currency="GBP")
        assert totals.tax == D("0.01")  # by line it would be 0.00 three times
        assert totals.by_rate == {D(20): (D("0.06"), D("0.01"))}

    def test_each_rate_is_taxed_by_itself(self):
        totals = compute_totals(of(("10.00", "20"), ("7.35", "5"), ("3.00", "0")), currency="GBP")
        assert totals.by_rate[D(5)] == (D("7.35"), D("0.37"))
        assert (totals.net, totals.tax, totals.total) == (D("20.35"), D("2.37"), D("22.72"))

    def test_prices_with_tax_contain_it(self):
        totals = compute_totals(of(("120.00", "20")), currency="GBP", prices_include_tax=True)
        assert (totals.net, totals.tax, totals.total) == (D("100.00"), D("20.00"), D("120.00"))

    def test_net_and_contained_tax_add_up_to_the_price_where_it_does_not_divide(self):
        totals = compute_totals(of(("9.99", "7.7")), currency="GBP", prices_include_tax=True)
        assert (totals.net, totals.tax) == (D("9.28"), D("0.71"))

    def test_a_discount_is_spread_over_the_rates_and_adds_up(self):
        lines = of(("10.00", "0"), ("10.00", "5"), ("10.00", "20"))
        totals = compute_totals(lines, currency="GBP", discount_amount=D("10.00"))
        nets = [net for net, _ in totals.by_rate.values()]
        assert sorted(nets) == [D("6.66"), D("6.67"), D("6.67")]
        assert totals.net == D("20.00")

    def test_a_discount_of_all_leaves_nothing_to_pay(self):
        totals = compute_totals(
            of(("3.33", "20"), ("6.67", "5")), currency="GBP", discount_percent=D(100)
        )
        assert (totals.discount, totals.total) == (D("10.00"), D("0.00"))

    def test_shipping_is_taxed_at_its_own_rate(self):
        totals = compute_totals(
            of(("10.00", "5")), currency="GBP", shipping=D("4.00"), shipping_tax_rate=D(20)
        )
        assert totals.by_rate == {D(5): (D("10.00"), D("0.50")), D(20): (D("4.00"), D("0.80"))}
        assert totals.total == D("15.30")

    def test_a_discount_does_not_reduce_the_shipping(self):
        totals = compute_totals(
            of(("10.00", "0")), currency="GBP", discount_percent=D(50), shipping=D("4.00")
        )
        assert totals.net == D("9.00")

    def test_the_rounding_is_what_the_step_adds_or_takes(self):
        up = compute_totals(of(("1.03", "0")), currency="GBP", rounding_step=D("0.05"))
        down = compute_totals(of(("1.02", "0")), currency="GBP", rounding_step=D("0.05"))
        assert (up.rounding, up.total) == (D("0.02"), D("1.05"))
        assert (down.rounding, down.total) == (D("-0.02"), D("1.00"))

    def test_a_discount_is_rounded_and_so_is_the_shipping(self):
        totals = compute_totals(
            of(("10.01", "0")), currency="GBP", discount_percent=D(50), shipping=D("1.005")
        )
        assert (totals.subtotal, totals.discount, totals.shipping) == (
            D("10.01"),
            D("5.01"),
            D("1.01"),
        )

    def test_every_part_is_in_minor_units_of_the_currency(self):
        totals = compute_totals(
            of(("999", "8"), ("500", "10")),
            currency="JPY",
            discount_percent=D(5),
            shipping=D("100.4"),
            shipping_tax_rate=D(8),
        )
        assert (totals.discount, totals.shipping) == (75, 100)
        assert totals.by_rate == {D(8): (D(1049), D(84)), D(10): (D(475), D(48))}
        inclusive = compute_totals(of(("1000", "8")), currency="JPY", prices_include_tax=True)
        assert (inclusive.net, inclusive.tax) == (926, 74)

    def test_both_kinds_of_discount_come_off(self):
        totals = compute_totals(
            of(("10.00", "0")), currency="GBP", discount_percent=D(10), discount_amount=D("0.50")
        )
        assert (totals.discount, totals.total) == (D("1.50"), D("8.50"))

    def test_the_rates_are_told_from_the_lowest(self):
        lines = of(("1.00", "20"), ("1.00", "0"), ("1.00", "5"))
        assert list(compute_totals(lines, currency="GBP").by_rate) == [0, 5, 20]

    def test_without_a_step_nothing_is_rounded_and_tax_not_included(self):
        totals = compute_totals(of(("1.03", "20")), currency="GBP")
        assert (totals.rounding, totals.total) == (0, D("1.24"))

    def test_a_document_without_lines_comes_to_nothing(self):
        assert compute_totals([], currency="GBP").total == 0


class TestPartsOfALine:
    def test_all_of_a_line_is_its_rounded_net_whatever_a_part_would_round_to(self):
        net = share_of_line(net=D("10.005"), part=D(3), quantity=D(3), currency="GBP")
        assert net == D("10.005")

    def test_a_part_is_its_share_rounded_half_up(self):
        share = share_of_line(net=D("10.00"), part=D(1), quantity=D(3), currency="GBP")
        assert str(share) == "3.33"
        assert share_of_line(net=D(10), part=D(2), quantity=D(3), currency="GBP") == D("6.67")
        assert str(share_of_line(net=D(1), part=D(1), quantity=D(8), currency="GBP")) == "0.13"
        assert str(share_of_line(net=D(7), part=D(1), quantity=D(2), currency="JPY")) == "4"


class TestPartsOfADocument:
    """100 at 20 % and 50 at 5 %, less a discount of 15: ten of it on the 100, five on the 50."""

    lines = of(("60.00", "20"), ("40.00", "20"), ("50.00", "5"))

    def value(self, *parts, discount="15.00", inclusive=False, currency="GBP"):
        return goods_value(
            of(*parts),
            of=self.lines,
            discount=D(discount),
            currency=currency,
            prices_include_tax=inclusive,
        )

    def test_a_part_bears_its_share_of_the_discount_and_its_own_tax(self):
        assert self.value(("40.00", "20")) == (D("36.00"), D("7.20"))
        assert self.value(("50.00", "5")) == (D("45.00"), D("2.25"))

    def test_the_rates_of_a_part_add_up(self):
        assert self.value(("40.00", "20"), ("50.00", "5")) == (D("81.00"), D("9.45"))

    def test_all_of_it_is_what_the_document_has_for_its_goods(self):
        totals = compute_totals(self.lines, currency="GBP", discount_amount=D(15))
        whole = self.value(("60.00", "20"), ("40.00", "20"), ("50.00", "5"))
        assert whole == (totals.net, totals.tax) == (D("135.00"), D("20.25"))

    def test_without_a_discount_a_part_is_worth_its_price(self):
        assert self.value(("40.00", "20"), discount="0") == (D("40.00"), D("8.00"))

    def test_prices_with_tax_are_split_into_both(self):
        assert self.value(("40.00", "20"), inclusive=True) == (D("30.00"), D("6.00"))

    def test_its_amounts_are_in_minor_units_of_the_currency(self):
        assert self.value(("33.00", "20"), currency="JPY", discount="10") == (D("31"), D("6"))
        assert self.value(("50.00", "20"), currency="JPY", discount="25") == (D("41"), D("8"))

    def test_what_is_free_bears_nothing_and_is_worth_nothing(self):
        free, paid = of(("0.00", "5")), of(("10.00", "20"))
        value = goods_value(
            free, of=[*free, *paid], discount=D(1), currency="GBP", prices_include_tax=False
        )
        assert value == (0, 0)


class TestAddingUpTo:
    """Parts by rate, and what was posted for them together."""

    by_rate = {D(0): (D("90.00"), D(0)), D(5): (D("10.00"), D("0.50")), D(20): (D(1), D("0.20"))}

    def test_the_rate_with_the_most_tax_has_what_is_missing(self):
        found = adding_up_to(self.by_rate, net=D("100.99"), tax=D("0.72"))
        assert found == {**self.by_rate, D(5): (D("9.99"), D("0.52"))}

    def test_what_adds_up_stays_as_it_is(self):
        assert adding_up_to(self.by_rate, net=D(101), tax=D("0.70")) == self.by_rate

    def test_without_any_tax_it_is_the_rate_with_the_most_goods(self):
        free = {D(5): (D("0.01"), D(0)), D(0): (D(9), D(0))}
        assert adding_up_to(free, net=D("9.02"), tax=D(0))[D(0)] == (D("9.01"), 0)


def cents(most: int = 10**9) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda number: D(number).scaleb(-2))


lines = st.lists(st.builds(LineAmount, net=cents(), tax_rate=st.sampled_from(RATES)), max_size=8)


@given(
    lines=lines,
    share=st.fractions(0, 1, max_denominator=999),
    shipping=cents(10**5),
    inclusive=st.booleans(),
    step=st.sampled_from([D(0), D("0.05"), D(1)]),
)
def test_a_header_is_always_the_sum_of_its_parts(lines, share, shipping, inclusive, step):
    subtotal = sum((line.net for line in lines), D(0))
    discount = round_money(subtotal * share.numerator / share.denominator, "GBP")
    totals = compute_totals(
        lines,
        currency="GBP",
        prices_include_tax=inclusive,
        discount_amount=discount,
        shipping=shipping,
        shipping_tax_rate=D(20),
        rounding_step=step,
    )
    assert totals.total == totals.net + totals.tax + totals.rounding
    assert totals.net == sum(net for net, _ in totals.by_rate.values())
    assert totals.tax == sum(tax for _, tax in totals.by_rate.values())
    before_tax = totals.subtotal - totals.discount + totals.shipping
    assert before_tax == (totals.net + totals.tax if inclusive else totals.net)
    assert abs(totals.rounding) <= step / 2
    assert all(net >= 0 and tax >= 0 for net, tax in totals.by_rate.values())


class TestApportioning:
    def test_there_is_nothing_to_split_or_nobody_to_bear_it(self):
        assert apportion(D(0), {D(5): D(10)}, "GBP") == {}
        assert apportion(D(10), {D(5): D(0)}, "GBP") == {}

    def test_who_weighs_nothing_bears_nothing(self):
        shares = apportion(D(10), {D(5): D(0), D(0): D(30), D(20): D(0)}, "GBP")
        assert shares == {D(0): D(10), D(5): D(0), D(20): D(0)}

    def test_the_last_unit_goes_to_the_higher_rate(self):
        shares = apportion(D("0.05"), {D(20): D(1), D(5): D(1)}, "GBP")
        assert shares == {D(5): D("0.03"), D(20): D("0.02")}


@given(
    weights=st.dictionaries(st.sampled_from(RATES), cents(), min_size=1),
    part=st.integers(0, 10**6),
    currency=st.sampled_from(["GBP", "JPY", "BHD"]),
)
def test_shares_add_up_to_the_last_minor_unit_and_none_is_more_than_its_weight(
    weights, part, currency
):
    weights = {key: round_money(weight, currency) for key, weight in weights.items()}
    whole = sum(weights.values())
    amount = round_money(whole * part / 10**6, currency)
    shares = apportion(amount, weights, currency)
    assert sum(shares.values()) == amount
    assert all(0 <= share <= weights[key] for key, share in shares.items())
    assert all(share == round_money(share, currency) for share in shares.values())


@given(amount=st.decimals(-(10**12), 10**12, allow_nan=False, places=6))
def test_rounding_moves_an_amount_by_at_most_half_a_minor_unit_and_only_once(amount):
    rounded = round_money(amount, "GBP")
    assert abs(rounded - amount) <= D("0.005")
    assert round_money(rounded, "GBP") == rounded
    assert round_money(-amount, "GBP") == -rounded
