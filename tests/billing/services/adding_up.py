"""What must hold of a company's books after whatever was done to them."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from hypothesis.stateful import RuleBasedStateMachine, invariant

from accounts.models import Company
from billing.dates import Period
from billing.models import Balance, Challan, ChallanState, Invoice, Party, Payment, Return
from billing.money import LineAmount, compute_totals, goods_value, total
from billing.selectors.credits import unapplied_credit, unapplied_sources
from billing.selectors.numbering import audit_numbers
from billing.selectors.statements import read_accounts, read_movements
from billing.services.papers import paper_of
from tests.billing.books import assert_reconciled

D = Decimal


class BooksThatAddUp(RuleBasedStateMachine):
    company: Company
    parties: list[Party]

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
    def each_paper_says_what_is_in_the_books(self):
        kinds = (Invoice, Return)
        for record in [row for kind in kinds for row in kind.objects.for_company(self.company)]:
            printed = paper_of(record, keep=False).snapshot
            totals = {name: D(printed["totals"][name]) for name in ("net", "tax", "total")}
            if isinstance(record, Return) or record.is_posted:
                assert totals == {name: getattr(record, name) for name in totals}
            for place, name in enumerate(("net", "tax"), start=1):
                assert total(D(row[place]) for row in printed["taxes"]) == totals[name]

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
            rest = total(source.rest for source in unapplied_sources(party))
            assert balance.current == balance.opening + open_ - rest
            account = accounts[party.pk]
            assert account.closing == balance.current
            assert -account.unapplied == credit
            assert (
                balance.opening + total(x.signed for x in lines.get(party.pk, []))
                == balance.current
            )
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
