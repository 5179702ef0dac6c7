"""Any sequence of what people do to the books leaves them adding up."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    rule,
    run_state_machine_as_test,
)

from billing.dates import today
from billing.models import Balance, Challan, ChallanState, Invoice, Payment, Return
from billing.models.invoices import POSTED_STATES
from billing.money import total
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
from tests.billing.factories import new_party
from tests.billing.services.adding_up import BooksThatAddUp
from tests.billing.services.entering import delivered_challan, entered, goods, issued, item
from tests.factories import CompanyFactory

D = Decimal

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


ACTIONS = {}


def act(**arguments):
    def register(method):
        ACTIONS[method.__name__] = st.fixed_dictionaries(arguments)
        return method

    return register


class Books(BooksThatAddUp):
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

    @act(which=some, age=ages, lines=st.lists(items, max_size=4), header=headers)
    def enter(self, which, age, lines, header):
        entered(self.parties[which % 2], *lines, invoice_date=self.open_day(age), **header)

    def open_day(self, age):
        closed = type(self.company).objects.get(pk=self.company.pk).books_closed_until
        return self.day(age) if closed is None else max(self.day(age), closed + timedelta(days=1))

    @act(which=some)
    def issue(self, which):
        self.attempt(
            self.pick(Invoice.objects.filter(state="draft"), which),
            lambda row: issue_invoice(invoice=row, by=None),
        )

    @act(which=some, amount=cents, age=ages)
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

    @act(party=some, amount=cents, extra=cents, age=ages)
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

    @act(party=some, amount=cents, age=ages)
    def pay_on_account(self, party, amount, age):
        self.attempt(
            self.parties[party % 2],
            lambda row: record_payment(
                party=row, amount=amount, payment_date=self.day(age), by=None
            ),
        )

    @act(
        kind=st.sampled_from([Payment, Return]),
        source=some,
        which=some,
        amount=cents,
        exactly=edges,
    )
    def apply(self, kind, source, which, amount, exactly):
        open_ = [row for row in kind.objects.for_company(self.company) if unapplied_of(row)]
        found = open_[source % len(open_)] if open_ else self.pick(kind.objects, source)
        if found:
            rest = unapplied_of(found)

            def apply(invoice):
                most = min(amount, rest, invoice.due)
                # The edge of what is left, which chance seldom hits, or something that fits.
                part = most if exactly is None else rest + exactly
                apply_credit(source=found, invoice=invoice, amount=part, by=None)

            own = Invoice.objects.filter(party=found.party, state__in=POSTED_STATES)
            self.attempt(self.pick(own, which) or self.pick_invoice(which), apply)

    @act(which=some, all_=st.booleans(), age=ages)
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
                return_date=max(self.day(age), invoice.invoice_date),
                by=None,
            )

        self.attempt(self.pick_invoice(which), take)

    @act(party=some, amount=cents)
    def take_back_on_account(self, party, amount):
        line = ReturnLine(quantity=D(1), description="Jug", unit_price=amount, tax_rate=D(20))
        self.attempt(
            self.parties[party % 2],
            lambda row: record_return(
                party=row, lines=[line], return_date=self.now, reason="Broken", by=None
            ),
        )

    @act(which=some)
    def undo_a_return(self, which):
        self.attempt(
            self.pick(Return.objects, which),
            lambda row: delete_return(return_document=row, by=None),
        )

    @act(which=some)
    def undo_a_payment(self, which):
        self.attempt(
            self.pick(Payment.objects, which),
            lambda row: void_payment(payment=row, reason="Bounced", by=None),
        )

    @act(which=some)
    def void(self, which):
        self.attempt(
            self.pick_invoice(which),
            lambda row: void_invoice(invoice=row, reason="Wrong", by=None),
        )

    @act(which=some)
    def copy(self, which):
        self.attempt(
            self.pick_invoice(which),
            lambda row: issue_invoice(invoice=copy_invoice(invoice=row, by=None), by=None),
        )

    @act(which=some)
    def delete(self, which):
        self.attempt(
            self.pick(Invoice.objects.filter(state="draft"), which),
            lambda row: delete_draft(invoice=row, by=None),
        )

    @act(party=some)
    def deliver(self, party):
        delivered_challan(self.parties[party % 2], goods(), day=self.now)

    @act(party=some)
    def invoice_deliveries(self, party):
        rows = Challan.objects.filter(party=self.parties[party % 2], state=ChallanState.DELIVERED)
        self.attempt(list(rows), lambda found: invoice_challans(challans=found, by=None))

    @act(party=some, amount=st.integers(-50, 50).map(D), age=ages)
    def take_over(self, party, amount, age):
        self.attempt(
            self.parties[party % 2],
            lambda row: set_opening(party=row, opening=amount, opening_date=self.day(age), by=None),
        )

    @act(age=st.integers(10, 60))
    def lock(self, age):
        close_books(company=self.company, until=self.day(age), by=None)

    @act()
    def open_again(self):
        close_books(company=self.company, until=None, by=None)

    @rule(step=st.deferred(lambda: steps))
    def do(self, step):
        """One rule for all: hypothesis would leave most of several out of a run."""
        name, arguments = step
        getattr(self, name)(**arguments)

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


steps = st.sampled_from(sorted(ACTIONS)).flatmap(
    lambda name: st.tuples(st.just(name), ACTIONS[name])
)


@pytest.mark.django_db
@pytest.mark.parametrize("times", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_whatever_is_done_the_books_add_up(times):
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=times,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
