"""Any sequence of what people do to the books leaves them adding up."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.dates import Period, today
from billing.models import Balance, Challan, ChallanState, Invoice, Payment, Return
from billing.models.invoices import POSTED_STATES
from billing.money import LineAmount, compute_totals, goods_value, total
from billing.selectors.credits import unapplied_credit, unapplied_sources
from billing.selectors.numbering import audit_numbers
from billing.selectors.statements import read_accounts, read_movements
from billing.services import (
    ReturnLine,
    apply_credit,
    close_books,
    copy_invoice,
    delete_draft,
    delete_return,
    invoice_challans,
    issue_invoice,
    record_payment,
    record_return,
    set_opening,
    void_invoice,
    void_payment,
)
from billing.services.settling import unapplied_of
from tests.billing.books import assert_reconciled
from tests.billing.factories import new_party
from tests.billing.services.entering import delivered_challan, entered, goods, issued, item
from tests.factories import CompanyFactory

D = Decimal
pytestmark = pytest.mark.slow

_names = count()
cents = st.integers(1, 20_000).map(lambda number: D(number) / 100)
some = st.integers(0, 10_000)
edges = st.sampled_from([None, D(0), D("0.01")])
ages = st.integers(0, 20)
items = st.builds(
    lambda price, quantity, tax, off: item(
        str(D(price) / 100), str(quantity), tax, discount_percent=D(off)
    ),
    st.integers(0, 9_999),
    st.sampled_from([D(1), D(3), D("0.333"), D(7), D("2.5")]),
    st.sampled_from(["0", "5", "20"]),
    st.sampled_from([0, 0, 0, 10, 33]),
)
headers = st.fixed_dictionaries(
    {
        "discount_percent": st.sampled_from([D(0), D(0), D("12.5")]),
        "shipping": st.sampled_from([D(0), D(0), D("4.95")]),
        "shipping_tax_rate": st.sampled_from([D(0), D(20)]),
    }
)


class Books(RuleBasedStateMachine):
    """Two parties of a company; what the rules refuse is refused, and changes nothing."""

    def __init__(self):
        super().__init__()
        self.before = transaction.savepoint()

    def teardown(self):
        transaction.savepoint_rollback(self.before)

    @initialize(step=st.sampled_from([D(0), D("0.05"), D(1)]), included=st.booleans())
    def begin(self, step, included):
        self.company = CompanyFactory.create(
            slug=f"machine-{next(_names)}", total_rounding_step=step, prices_include_tax=included
        )
        self.parties = [new_party(self.company, code) for code in ("P1", "P2")]
        self.now = today(self.company)
        for party in self.parties:
            for age in (5, 15):
                lines = [item("9.99", "3", "20"), item("0.335", "7", "5", discount_percent=D(10))]
                issued(party, *lines, invoice_date=self.day(age), discount_percent=D("12.5"))

            invoice_challans(challans=[delivered_challan(party, day=self.now)], by=None)

    def day(self, age: int) -> date:
        return self.now - timedelta(days=age)

    def pick(self, rows, which: int):
        found = list(rows.for_company(self.company).order_by("created_at", "pk"))
        return found[which % len(found)] if found else None

    def pick_invoice(self, which: int):
        """One of the posted, as a rule; now and then any, which is mostly refused."""
        rows = Invoice.objects.all()
        return self.pick(rows if which % 8 == 0 else rows.filter(state__in=POSTED_STATES), which)

    @rule(which=some, age=ages, lines=st.lists(items, max_size=4), header=headers)
    def enter(self, which, age, lines, header):
        entered(self.parties[which % 2], *lines, invoice_date=self.open_day(age), **header)

    def open_day(self, age):
        closed = type(self.company).objects.get(pk=self.company.pk).books_closed_until
        return self.day(age) if closed is None else max(self.day(age), closed + timedelta(days=1))

    @rule(which=some)
    def issue(self, which):
        self.attempt(
            self.pick(Invoice.objects.filter(state="draft"), which),
            lambda row: issue_invoice(invoice=row, by=None),
        )

    @rule(which=some, amount=cents, age=ages)
    def pay(self, which, amount, age):
        def pay(invoice):
            record_payment(
                party=invoice.party,
                invoice=invoice,
                amount=min(amount, max(invoice.due, D("0.01"))),
                payment_date=self.day(age),
                by=None,
            )

        self.attempt(self.pick_invoice(which), pay)

    @rule(party=some, amount=cents, extra=cents, age=ages)
    def spread(self, party, amount, extra, age):
        owner = self.parties[party % 2]
        open_ = [
            row for row in Invoice.objects.filter(party=owner) if row.is_posted and row.due > 0
        ]
        shares = [(row, min(amount, row.due)) for row in open_]
        self.attempt(
            owner,
            lambda row: record_payment(
                party=row,
                amount=total(share for _, share in shares) + extra,
                allocations=shares,
                payment_date=self.day(age),
                by=None,
            ),
        )

    @rule(party=some, amount=cents, age=ages)
    def pay_on_account(self, party, amount, age):
        self.attempt(
            self.parties[party % 2],
            lambda row: record_payment(
                party=row, amount=amount, payment_date=self.day(age), by=None
            ),
        )

    @rule(
        kind=st.sampled_from([Payment, Return]),
        source=some,
        which=some,
        amount=cents,
        exactly=edges,
    )
    def apply(self, kind, source, which, amount, exactly):
        found = self.pick(kind.objects, source)
        if found:
            if exactly is not None:  # the edge of what is left, which chance seldom hits
                amount = max(unapplied_of(found) + exactly, D("0.01"))
            own = Invoice.objects.filter(party=found.party, state__in=POSTED_STATES)
            self.attempt(
                self.pick(own, which) or self.pick_invoice(which),
                lambda row: apply_credit(source=found, invoice=row, amount=amount, by=None),
            )

    @rule(which=some, all_=st.booleans(), age=ages)
    def take_back(self, which, all_, age):
        def take(invoice):
            lines = []
            for line in invoice.items.all():
                back = sum(
                    (
                        row.quantity
                        for row in line.returned_in.filter(return_document__is_active=True)
                    ),
                    D(0),
                )
                left = line.quantity - back
                part = left if all_ else (left / 2).quantize(D("0.001"))
                if part > 0:
                    lines.append(ReturnLine(quantity=part, item=line))
            record_return(
                party=invoice.party,
                invoice=invoice,
                lines=lines,
                return_date=self.day(age),
                by=None,
            )

        self.attempt(self.pick_invoice(which), take)

    @rule(party=some, amount=cents)
    def take_back_on_account(self, party, amount):
        line = ReturnLine(quantity=D(1), description="Jug", unit_price=amount, tax_rate=D(20))
        self.attempt(
            self.parties[party % 2],
            lambda row: record_return(
                party=row, lines=[line], return_date=self.now, reason="Broken", by=None
            ),
        )

    @rule(which=some)
    def undo_a_return(self, which):
        self.attempt(
            self.pick(Return.objects, which),
            lambda row: delete_return(return_document=row, by=None),
        )

    @rule(which=some)
    def undo_a_payment(self, which):
        self.attempt(
            self.pick(Payment.objects, which),
            lambda row: void_payment(payment=row, reason="Bounced", by=None),
        )

    @rule(which=some)
    def void(self, which):
        self.attempt(
            self.pick_invoice(which),
            lambda row: void_invoice(invoice=row, reason="Wrong", by=None),
        )

    @rule(which=some)
    def copy(self, which):
        self.attempt(
            self.pick_invoice(which),
            lambda row: issue_invoice(invoice=copy_invoice(invoice=row, by=None), by=None),
        )

    @rule(which=some)
    def delete(self, which):
        self.attempt(
            self.pick(Invoice.objects.filter(state="draft"), which),
            lambda row: delete_draft(invoice=row, by=None),
        )

    @rule(party=some)
    def deliver(self, party):
        delivered_challan(self.parties[party % 2], goods(), day=self.now)

    @precondition(lambda self: Challan.objects.filter(state=ChallanState.DELIVERED).exists())
    @rule(party=some)
    def invoice_deliveries(self, party):
        rows = Challan.objects.filter(party=self.parties[party % 2], state=ChallanState.DELIVERED)
        self.attempt(list(rows), lambda found: invoice_challans(challans=found, by=None))

    @rule(party=some, amount=st.integers(-50, 50).map(D), age=ages)
    def take_over(self, party, amount, age):
        self.attempt(
            self.parties[party % 2],
            lambda row: set_opening(party=row, opening=amount, opening_date=self.day(age), by=None),
        )

    @rule(age=st.integers(10, 60))
    def lock(self, age):
        close_books(company=self.company, until=self.day(age), by=None)

    @rule()
    def open_again(self):
        close_books(company=self.company, until=None, by=None)

    def attempt(self, row, action):
        """Do it or be refused: then the books are as they were."""
        if not row:
            return
        before = self.picture()
        try:
            action(row)
        except ValidationError:
            assert self.picture() == before

    def picture(self):
        columns = ("pk", "state", "paid", "returned", "total", "is_active")
        return (
            list(Invoice.all_objects.order_by("pk").values_list(*columns)),
            list(Payment.objects.order_by("pk").values_list("pk", "voided_at")),
            list(Return.all_objects.order_by("pk").values_list("pk", "is_active")),
            list(Balance.objects.order_by("pk").values_list("pk", "current", "opening")),
        )

    @invariant()
    def every_header_is_the_sum_of_its_parts(self):
        for invoice in Invoice.objects.for_company(self.company):
            lines = [LineAmount(row.net, row.tax_rate) for row in invoice.items.all()]
            assert invoice.subtotal == total(line.net for line in lines)
            totals = compute_totals(
                lines,
                currency=invoice.currency,
                prices_include_tax=invoice.prices_include_tax,
                discount_percent=invoice.discount_percent,
                shipping=invoice.shipping,
                shipping_tax_rate=invoice.shipping_tax_rate,
                rounding_step=self.company.total_rounding_step,
            )
            assert (invoice.net, invoice.tax) == (totals.net, totals.tax)
            assert invoice.total == invoice.net + invoice.tax + invoice.rounding == totals.total

    @invariant()
    def nothing_is_settled_twice_or_by_more_than_there_is(self):
        for invoice in Invoice.objects.for_company(self.company):
            rows = invoice.allocations.all()
            assert invoice.paid == total(row.amount for row in rows if row.payment_id)
            assert invoice.returned == total(row.amount for row in rows if row.return_document_id)
            assert 0 <= invoice.paid + invoice.returned <= invoice.total
            assert invoice.is_posted or not rows
            assert (invoice.state == "paid") == (invoice.is_posted and invoice.due == 0)
            assert invoice.is_posted or not invoice.returns.filter(is_active=True)
        for source in [*Payment.objects.all(), *Return.all_objects.all()]:
            applied = total(row.amount for row in source.allocations.all())
            gone = not source.is_active or getattr(source, "voided_at", None)
            assert applied <= (
                0 if gone else getattr(source, "total", getattr(source, "amount", 0))
            )

    @invariant()
    def what_came_back_is_worth_no_more_than_what_was_sold(self):
        for invoice in Invoice.objects.for_company(self.company):
            back = invoice.returns.filter(is_active=True)
            sold = [LineAmount(row.net, row.tax_rate) for row in invoice.items.all()]
            net, tax = goods_value(
                sold,
                of=sold,
                discount=invoice.discount,
                currency="GBP",
                prices_include_tax=invoice.prices_include_tax,
            )
            # A deletion may leave a minor unit a line between the pieces.
            slack = D("0.01") * 10 if invoice.returns.filter(is_active=False).exists() else 0
            assert total(row.total for row in back) <= net + tax + slack
            if self.all_came_back(invoice):
                assert abs(total(row.total for row in back) - net - tax) <= slack

    def all_came_back(self, invoice):
        lines = list(invoice.items.all())
        back = defaultdict(D)
        for row in invoice.returns.filter(is_active=True):
            for line in row.items.all():
                back[line.invoice_item_id] += line.quantity
        return bool(back) and all(back[line.pk] == line.quantity for line in lines)

    @invariant()
    def every_balance_is_what_the_documents_say_and_what_the_statement_says(self):
        period = Period(date(1900, 1, 1), date(2199, 12, 31))
        accounts = read_accounts(self.company, period)
        lines = dict(read_movements(self.company, period))
        for party in self.parties:
            balance = Balance.objects.filter(party=party).first() or Balance(party=party)
            open_ = total(row.due for row in Invoice.objects.filter(party=party) if row.is_posted)
            credit = unapplied_credit(party)
            assert balance.current == max(balance.opening, D(0)) + open_ - credit
            account = accounts[party.pk]
            assert account.closing == balance.current
            assert -account.unapplied == credit
            moved = total(line.signed for line in lines.get(party.pk, []))
            assert balance.opening + moved == balance.current
            for source in unapplied_sources(party):
                assert 0 < source.rest <= source.amount
        assert_reconciled(self.company)

    @invariant()
    def challans_and_invoices_agree(self):
        for challan in Challan.objects.for_company(self.company):
            if challan.state == ChallanState.INVOICED:
                assert challan.invoice.is_active
                assert challan.invoice.state != "void"
            else:
                assert challan.invoice_id is None

    @invariant()
    def the_numbers_have_no_gap(self):
        assert audit_numbers(self.company).is_sound


@pytest.mark.django_db
def test_whatever_is_done_the_books_add_up():
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
